"""Short forms of first names, as people in England, France and Germany give them at the desk. Standard library alone.

One line a name: the long form first. A short form may stand for several ("alex"). Spelled as `clients.search.fold` leaves
them. Only what is common in a salon's book: a longer list finds more that is not one.
"""

from collections import defaultdict

_LINES = """
alexander alex sascha sacha xander sandy
alexandra alex sascha sandra sandy alexa
alexandre alex sacha
andreas andi andy
andrew andy drew
angelika geli
anna anni anne annie anja
annabelle bella
anneliese anne liesel lisa
anthony tony
antoine tony toni
anton toni
antonia toni
barbara babs barb babsi barbe
benedikt bene
benjamin ben benny benji
bernadette berni
bernhard berni
birgit biggi gitte
brigitte gitte biggi brigit
caroline caro carole
catherine cathy kate cath katie cat
cecile cecilia
charles charlie chuck charly
charlotte charlie lotte lottie charly
christian chris
christiane chris christel
christina chris chrissie tina christel
christine chris chrissie tina christel
christoph chris
christophe chris tophe
christopher chris kit
claudia claudi
cornelia conny nelly
daniel dan danny dani
daniela dani
danielle dani
david dave davy
deborah debbie debs
dietrich dieter
dominique dom domi
dorothea dora doro thea
edouard edu ed
edward ed eddie ted ned
elisabeth elli lisa lise liz lisbeth sissi ella babette betty elise
elizabeth liz lizzie beth betty eliza lisa libby elisa
emanuel manu
emmanuel manu
emmanuelle manu
emily em emmy
ferdinand ferdi
florian flo
florence flo
franziska franzi franka
francois fran francis
francoise fran
franz franzl
frederic fred freddy
frederik fred freddy
frederique fred
friedrich fritz fred
gabriele gabi gaby
gabrielle gabi gaby gab
gabriel gab gabi
gerard gege
gerhard gerd gert
georg schorsch
gertrud trude gerti
gregor greg
gregory greg
guillaume guigui will
guenter guenther gunter
guenther guenter gunther
hannelore hanne lore
heinrich heinz heiner henri
helene lena leni helena
helga helgi
henry harry hal
hildegard hilde
hubert hubi
ingeborg inge
isabelle isa isabel bella
isabella isa bella isabel
jacob jake jakob
jacqueline jacky jackie
jacques jacky
james jim jimmy jamie
jana janna
janet jan
jean jeannot
jeanpaul jp
jeanpierre jp
jeanmarc jm
jennifer jen jenny jenni
jessica jess jessie
joachim jo achim jochen
johann hans hannes johannes
johannes hans hannes johann
john jack johnny
jonathan jon jonny
josef sepp jupp joe
joseph joe jojo jo
josephine jo josie josy
joshua josh
juergen jogi
julia jule juli
julie ju
juliane jule
julien ju
karin kari
karl charly
karoline caro karo lina
katharina kathi kati katja kathrin katrin kate
katharine kate kathy katie
kathleen kathy
kenneth ken kenny
klaus klausi
konstantin konsti
laurence lolo
laurent lolo
lawrence larry
leonard leo len lenny
leonhard leo
leopold leo poldi
lieselotte lilo lotte liesel
louis lou
louise lou loulou
ludwig lutz
magdalena lena magda leni
magali mag
manfred manni
manuel manu
manuela manu ela
margaret maggie meg peggy madge marge
margarete grete gretel rita greta gretchen marga
marguerite margot maggie
margot margo
maria mia mimi mitzi marie
marieclaire marie
marielouise malou marie
marlene leni lena
marianne mari anne
martin marty
martina tina
mathilde tilda
matthew matt
matthias matze hias
matthieu matt
maurice momo
maximilian max maxi
maxime max
melanie mel
michael mike mick micky michi
michaela michi ela
michel mich
michele mich
mikael mike
mireille mimi
mohamed mohammed mohammad muhammad mo momo
monika moni
monique moni
nathalie nat nath
nathaniel nat nate
nicholas nick nicky
nicolas nico
nicole nico nicky
nikolaus nico niko klaus nick
norbert nobbi
olivier oli
oliver olli oli
oscar ossi
pamela pam
patricia pat patty trish tricia patti
patrick pat paddy
paul paulchen
paulette paule
penelope penny
peter pete
petra petzi
philipp phil
philippe phil
philip phil
pierre pierrot
rainer reiner
raphael raph rafi
raymond ray
rebecca becky bec becca
regina gina
reinhard reini
renate nate
richard rick dick rich ricky
robert bob rob bobby robbie bert
roland rolli
ronald ron ronnie
rosemarie rosi romy
rudolf rudi rolf
sabine bine
samantha sam sammy
samuel sam sammy
sandra sandy
sarah sally
sebastian basti seb
sebastien seb
siegfried siggi
sigrid siggi
silvia silvi sylvia sylvie
simone moni
sophia sophie sofia
sofie sophie sofia
stefan steffen
stefanie steffi stephanie
stephanie steph steffi stef stefanie
stephane steph
stephen steve stevie steven
susan sue susie suzie
susanne susi sanne suse
suzanne suzie suzon
sylvie sylvia
theodor theo
theodore ted theo teddy
theresa tess terry resi
therese tere
thierry titi
thomas tom tommy
timothy tim timmy
ulrich uli ulli
ulrike uli ulli rike
ursula uschi ursel ulla
valentin vali
valerie val
vanessa nessa
veronique vero
veronika vroni
victor vic
victoria vicky vic tori
viktoria vicky viki
vincent vince
virginie ginie gigi
walburga burgi
walter walt
wilhelm willi willy
wilhelmine minna mina
william will bill billy liam willy
wolfgang wolf wolfi
xavier xav
yvonne yvi
zacharie zach
"""

_made: dict[str, set[str]] = defaultdict(set)
for _line in _LINES.split("\n"):
    for _name in _line.split():
        _made[_name].add(_line.split()[0])
_LONG_FORMS = {short: frozenset(forms) for short, forms in _made.items()}


def are_one(first: str, other: str) -> bool:
    """Return whether one may be the short form of the other, or both of a third: "bob" and "robbie" are "robert"."""
    forms, others = _LONG_FORMS.get(first), _LONG_FORMS.get(other)
    return forms is not None and others is not None and not forms.isdisjoint(others)
