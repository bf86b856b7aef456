// Loaded before Dash: style elements made at run time carry this page's nonce, so that the policy needs no exception.
(function () {
  var nonce = document.currentScript.nonce, make = document.createElement;
  document.createElement = function (name) {
    var made = make.apply(document, arguments);
    if (String(name).toLowerCase() === "style") made.nonce = nonce;
    return made;
  };
})();
