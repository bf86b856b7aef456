"""The page law finds what it is there to find: one broken page for each of its rules."""

from __future__ import annotations

import pytest

from tests.support.page_law import check_page

GOOD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Pupils | Portal</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><a class="govuk-skip-link" href="#main">Skip</a>
<header><nav aria-label="Main"><a href="/">Home</a></nav></header>
<main id="main"><h1>Pupils</h1><h2>One</h2>
<form method="post" action="/x"><input type="hidden" name="csrf_token" value="t">
<label for="a">Name</label><input id="a" name="a" type="text" aria-describedby="hint"><p id="hint">Hint</p>
<fieldset><legend>Kind</legend>
<label><input type="radio" name="r" value="1"> One</label><label><input type="radio" name="r" value="2"> Two</label></fieldset>
<button type="submit">Save</button></form>
<table><caption>Marks</caption><tr><th scope="col">Day</th></tr><tr><td>1</td></tr></table>
<img src="/x.png" alt=""></main>
<footer><p>Foot</p></footer><script nonce="n" src="/x.js"></script></body></html>"""

FAILED = (
    GOOD.replace("<title>Pupils", "<title>Error: Pupils")
    .replace(
        "<h1>",
        '<div class="govuk-error-summary"><h2>There is a problem</h2><ul><li><a href="#a">Enter a name</a></li></ul></div><h1>',
    )
    .replace('<p id="hint">', '<p class="govuk-error-message">Error: Enter a name</p><p id="hint">')
)

BROKEN = [
    (GOOD, "</main>", "</mian>", "not valid HTML"),
    (GOOD, "<!DOCTYPE html>", "", "no doctype"),
    (GOOD, "<h2>One</h2>", "<p>One<div>Two</div></p>", "not valid HTML"),
    (GOOD, ' lang="en"', "", "no lang"),
    (GOOD, "<h1>Pupils</h1>", "", "0 h1 elements"),
    (GOOD, "<h2>One</h2>", "<h1>One</h1>", "2 h1 elements"),
    (GOOD, "<h2>One</h2>", "<h2></h2>", "heading without words"),
    (GOOD, "<h2>One</h2>", "<h3>One</h3>", "h3 follows h1"),
    (GOOD, "<title>Pupils", "<title>List", "does not begin with"),
    (GOOD, "<title>Pupils", "<title>Error: Pupils", "does not begin with"),
    (FAILED, "<title>Error: Pupils", "<title>Pupils", "does not begin with"),
    (GOOD, "<footer><p>Foot</p></footer>", "", "not one footer"),
    (GOOD, 'href="#main"', 'href="#top"', "no skip link"),
    (GOOD, ' aria-label="Main"', "", "nav without a label"),
    (GOOD, "</header>", '<nav aria-label="Main"></nav></header>', "2 navs labelled"),
    (GOOD, "<h2>", '<h2 id="a">', "stands 2 times"),
    (GOOD, 'id="hint"', 'id="hint "', "holds a space"),
    (GOOD, 'aria-describedby="hint"', 'aria-describedby="gone"', "leads to no 'gone'"),
    (GOOD, '<label for="a">', "<label>", "no label for input 'a'"),
    (GOOD, '<label for="a">Name</label>', '<label for="a"></label>', "no label for input 'a'"),
    (GOOD, ' name="a"', "", "without a name"),
    (GOOD, "<legend>Kind</legend>", "", "no fieldset with a legend"),
    (FAILED, 'href="#a"', 'href="#hint"', "leads to no field"),
    (FAILED, "Error: Enter a name", "Error: Enter it", "is not beside its field"),
    (FAILED, "Error: Enter a name", "Error: Enter it", "is not in the summary"),
    (FAILED, '<li><a href="#a">Enter a name</a></li>', "", "lists nothing"),
    (FAILED, "<h1>", '<div class="govuk-error-summary"></div><h1>', "more than one error summary"),
    (GOOD, '<input type="hidden" name="csrf_token" value="t">', "", "0 csrf tokens"),
    (GOOD, 'value="t"', 'value=""', "0 csrf tokens"),
    (GOOD, 'method="post"', 'method="get"', "sent as an address"),
    (GOOD, 'type="text"', 'type="file"', "does not send it"),
    (GOOD, '<button type="submit">', "<button>", "button without a type"),
    (GOOD, 'nonce="n" ', "", "script without a nonce"),
    (GOOD, "</main>", "<script>alert(1)</script></main>", "script without a nonce"),
    (GOOD, "<h2>", '<h2 onclick="x()">', "onclick on a h2"),
    (GOOD, "<h2>", '<h2 style="color:red">', "style attribute"),
    (GOOD, "</head>", "<style>p{}</style></head>", "style element"),
    (GOOD, 'href="/"', 'href="javascript:x()"', "a href that runs"),
    (GOOD, 'src="/x.png"', 'src="https://example.test/x.png"', "from elsewhere"),
    (GOOD, 'href="/"', 'href="/" target="_blank"', "opens a window"),
    (GOOD, "<caption>Marks</caption>", "", "without a caption"),
    (GOOD, ' scope="col"', "", "without scope"),
    (GOOD, '<th scope="col">Day</th>', "<td>Day</td>", "without headings"),
    (GOOD, ">Home<", "><", "a a without words"),
    (GOOD, 'href="/"', 'href="#"', "link to nowhere"),
    (GOOD, 'href="/"', 'href="#gone"', "link to no part"),
    (GOOD, ' alt=""', "", "img without alt"),
    (GOOD, "<h2>", "<svg></svg><h2>", "neither named nor hidden"),
    (GOOD, ">Save<", '><a href="/">Save</a><', "a a inside a button"),
    (GOOD, "<h2>", '<h2 role="button">', "plays a button"),
    (GOOD, "<h2>", '<h2 tabindex="3">', "changes the order"),
    (GOOD, "initial-scale=1", "maximum-scale=1", "no viewport"),
]


@pytest.mark.parametrize("page", [GOOD, FAILED])
def test_good_pages_pass(page: str) -> None:
    assert check_page(page, 200) == []


@pytest.mark.parametrize(("page", "text", "replacement", "fault"), BROKEN)
def test_a_broken_page_has_a_fault(page: str, text: str, replacement: str, fault: str) -> None:
    assert text in page
    faults = check_page(page.replace(text, replacement, 1), 200)
    assert any(fault in reported for reported in faults), faults


def test_an_inline_script_passes_only_when_the_policy_names_its_hash() -> None:
    page = GOOD.replace("</main>", "<script>1</script></main>")
    assert check_page(page, 200)
    assert check_page(page, 200, "script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='") == []


def test_a_policy_with_a_general_exception_is_a_fault() -> None:
    assert check_page(GOOD, 200, "script-src 'unsafe-inline'") == ["the policy allows unsafe-inline"]


def test_a_redirect_is_not_checked() -> None:
    assert check_page("<p>Moved", 302) == []
