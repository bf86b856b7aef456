"""Words that make a password easy to guess: common passwords, seasons, places, words of school attendance."""

from __future__ import annotations

_LISTED = """
absence absences absent academy access account admin administrator adminadmin amazon america analyst andrew angel
angels anthony apple april arsenal asdf asdfgh asdfghjkl attend attendance august authority autumn baby babygirl
bailey banana barcelona baseball basketball batman beautiful benjamin birmingham biteme blink bristol british brother
buster butterfly camera celtic change changeme charlie chelsea cheese chester chicken child children chocolate classroom
coffee college company computer cookie council county cowboys crystal dallas daniel david december default demo
demonstration department diamond dolphin donald dragon edinburgh education edward eleven elephant england english everton
example family february flower football forever freedom friday friend friends fuckyou gemma george getin ginger glasgow
google guest hannah happy harley harry head headteacher heather hello hockey holiday home house hunter iceman iloveyou
internet jack jackson james january jasmine jennifer jessica jesus jordan joshua july june justin killer king kingdom
klaster lady leeds legal leicester letmein letme lion liverpool local login london lottie love lovely loveyou madrid
maggie manager manchester march marina mark martin master matrix matthew maverick melissa mercedes merlin michael
michelle microsoft monday money monkey morgan mother mustang naruto nathan network newcastle newyork nicole ninja
nothing november nursery october office officer oliver open orange pass passcode passphrase passw password passwort
peaches peanut pepper persistent phoenix please pokemon portal portsmouth prime prince princess private public pupil
pupils purple qazwsx qwer qwerty qwertyuiop rachel rainbow rangers register registers richard robert rocky rosie samantha
samsung saturday school schools secret secure security september seven severe shadow sheffield siemens signin sister
slipknot snoopy snow soccer sophie southampton spring staff starwars student students summer sunday sunderland sunshine
superman support teacher teachers team temp temporary term test testing thomas thunder thursday tigger tinkerbell
tottenham trust trustno truant truancy tuesday united user username victoria villa wales wednesday welcome whatever
william winter wolverhampton work working year yellow york zaqwsx zxcv zxcvbn zxcvbnm correcthorsebatterystaple
"""

#: Lower case, four letters or more. A password made only of these words, digits and signs is refused.
WORDS = frozenset(_LISTED.split())
