"""The names and words of the demo: tables only."""

# Language -> first names (with the share of the clients), last names.
FIRST_NAMES = {
    "fr": (
        "Amélie Hélène Chloé Zoé Léna Manon Camille Inès Jade Louise Alice Emma Juliette Margaux Clémence Élodie Aurélie "
        "Céline Sandrine Nathalie Sylvie Françoise Brigitte Mélanie Anaïs Noémie Océane Solène Maëlle Agathe Capucine Apolline "
        "Karim Thomas Julien Nicolas Antoine Mathieu Hugo Léo Lucas Théo Raphaël Gaël Loïc Rémi Benoît François Jérôme Sébastien "
        "Fatima Leïla Samira Nadia Yasmine Aïcha Mehdi Rachid Bintou Aminata Thuy Linh Jean-Luc Marie-Claire Anne-Sophie"
    ),
    "de": (
        "Jürgen Käthe Björn Günther Jörg Annika Lena Mia Hannah Johanna Greta Frieda Ida Klara Mathilda Lotte Jutta Ursula "
        "Renate Heike Anke Silke Ulrike Katrin Stefanie Sabine Petra Lukas Felix Jonas Maximilian Moritz Niklas Sören Uwe Dieter "
        "Wolfgang Torsten Matthias Ayşe Elif Emre Mehmet Anneliese Hans-Peter Marie-Luise"
    ),
    "en": (
        "Olivia Amelia Isla Grace Freya Poppy Evie Charlotte Harriet Imogen Beatrice Eleanor Rosie Hannah Rachel Claire Sharon "
        "Siobhán Niamh Aoife Oliver George Harry Jack Alfie Arthur Callum Rory Ewan Finn Desmond Nigel Graham Priya Anjali "
        "Sanjay Zainab Kwame Chidi Mei Tom Kate Emily Sinéad"
    ),
}
MEN = (
    "Karim Thomas Julien Nicolas Antoine Mathieu Hugo Léo Lucas Théo Raphaël Gaël Loïc Rémi Benoît François Jérôme "
    "Sébastien Mehdi Rachid Jean-Luc Jürgen Björn Günther Jörg Lukas Felix Jonas Maximilian Moritz Niklas Sören Uwe "
    "Dieter Wolfgang Torsten Matthias Emre Mehmet Hans-Peter Oliver George Harry Jack Alfie Arthur Callum Rory Ewan "
    "Finn Desmond Nigel Graham Sanjay Kwame Chidi Tom"
)
LAST_NAMES = {
    "fr": (
        "Aubert Bertrand Benali Dreyfus Fontaine Petit Martin Bernard Dubois Thomas Robert Richard Durand Leroy Moreau Simon "
        "Laurent Lefèvre Michel Garcia David Roux Vincent Fournier Morel Girard André Lefebvre Mercier Dupont Lambert Bonnet "
        "François Martinez Legrand Garnier Faure Rousseau Blanc Guérin Muller Henry Roussel Nicolas Perrin Morin Mathieu Clément "
        "Gauthier Dumont Lopez Chevalier Robin Masson Sanchez Gérard Nguyễn Boyer Denis Lemaire Duval Joly Gautier Bouchet "
        "Traoré Diallo Haddad Belkacem Mansouri L'Hostis Le-Goff D'Angelo Bérenger Cœurdeuil Sainte-Beuve"
    ),
    "de": (
        "Groß Weber Müller Schmidt Schneider Fischer Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf "
        "Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause Meier Lehmann Köhler "
        "König Kaiser Fuchs Peters Möller Weiß Jung Hahn Vogel Jäger Günther Öztürk Yılmaz Böhm Strauß Süß Müller-Lüdenscheidt"
    ),
    "en": (
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker White Roberts Green "
        "Hall Wood Jackson Clarke Khan Lewis Hughes Edwards Thomas Turner Cooper Hill Ward Morris Moore Clark O'Brien O'Connor "
        "McDonald McCarthy Murphy Byrne Ryan Sullivan Okafor Mensah Singh Begum Lindqvist Ashworth-Bligh"
    ),
}
STREETS = {
    "fr": "rue Haute|rue des Lilas|avenue Jean-Jaurès|quai Saint-Antoine|montée de la Grande-Côte|place Bellecour|cours Gambetta",
    "de": "Lindenweg|Hauptstraße|Am Weiher|Goethestraße|Schulgasse|Bahnhofstraße",
    "en": "Station Road|Church Lane|Mill Street|The Crescent|Victoria Road",
}
TOWNS = {
    "fr": (("69001", "Lyon"), ("69002", "Lyon"), ("69003", "Lyon"), ("69100", "Villeurbanne"), ("69300", "Caluire-et-Cuire")),
    "de": (("50667", "Köln"), ("50823", "Köln"), ("50354", "Hürth"), ("51373", "Leverkusen")),
    "en": (("LS1 4AP", "Leeds"), ("LS6 2AB", "Leeds"), ("HG1 2RR", "Harrogate"), ("BD1 1HY", "Bradford")),
}
COUNTRY = {"fr": "FR", "de": "DE", "en": "GB"}
# The demo's salon in each country: the language of its services and notes, and its profile.
SALONS: dict[str, tuple[str, dict[str, str]]] = {
    "FR": ("fr", {
        "legal_name": "Atelier Nord SARL", "street": "12 rue des Lilas", "postcode": "69003", "city": "Lyon",
        "phone": "+33465710012", "time_zone": "Europe/Paris", "currency": "EUR",
    }),
    "DE": ("de", {
        "legal_name": "Atelier Nord GmbH", "street": "Lindenweg 12", "postcode": "50667", "city": "Köln",
        "phone": "+492214710012", "time_zone": "Europe/Berlin", "currency": "EUR",
    }),
    "GB": ("en", {
        "legal_name": "Atelier Nord Ltd", "street": "12 Mill Street", "postcode": "LS1 4AP", "city": "Leeds",
        "phone": "+441134960012", "time_zone": "Europe/London", "currency": "GBP",
    }),
}  # fmt: skip
# How many of a hundred clients speak the salon's language; the others share the rest.
AT_HOME = 78

# Numbers that the regulators of the three countries keep for films and books: nobody can be called on them. Arcep, plan national
# de numérotation; Bundesnetzagentur, Mitteilung 148/2021 (Rufnummern für Medienproduktionen); Ofcom, numbers for drama.
MOBILE_BLOCKS = {
    "fr": (("+3363998", 4),),
    "de": (("+4917139200", 2), ("+49176040690", 2)),
    "en": (("+447700900", 3),),
}
NUMBER_BLOCKS = {
    "fr": (("+3319900", 4), ("+3326191", 4), ("+3335301", 4), ("+3346571", 4), ("+3353649", 4)),
    "de": (("+493023125", 3), ("+496990009", 3), ("+494066969", 3), ("+492214710", 3), ("+498999998", 3)),
    "en": (("+442079460", 3), ("+441134960", 3), ("+441214960", 3), ("+441614960", 3)),
}
# Domains that are reserved for examples: no mail can reach anybody there.
MAIL_DOMAINS = ("example.org", "example.org", "mail.example", "post.example")

# Staff: name, colour, speciality, and hours by weekday (0 is Monday) as "from-to" in the salon's wall time.
_EARLY, _LATE, _SHORT = ("09:00-12:30", "13:30-18:00"), ("11:00-15:00", "15:30-20:00"), ("10:00-16:00",)
STAFF: tuple[tuple[str, int, str, dict[int, tuple[str, ...]]], ...] = (
    ("Léa", 1, "hair", {1: _EARLY, 2: _EARLY, 3: _EARLY, 4: _EARLY, 5: _EARLY}),
    ("Marco", 2, "hair", {0: _EARLY, 1: _EARLY, 2: _EARLY, 3: _LATE, 4: _LATE}),
    ("Noor", 3, "beauty", {2: _EARLY, 3: _EARLY, 4: _EARLY, 5: _EARLY, 6: _SHORT}),
    ("Ines", 4, "hair", {0: _EARLY, 1: _EARLY, 2: _EARLY, 4: _EARLY, 5: _EARLY}),
    ("Paul", 5, "hair", {0: _LATE, 2: _LATE, 3: _LATE, 4: _LATE, 5: _EARLY, 6: _SHORT}),
    ("Camille", 6, "beauty", {0: _EARLY, 1: _EARLY, 3: _EARLY, 4: _EARLY, 5: _EARLY}),
)

# Speciality, category, names (en, fr, de), minutes, price, weeks until the next visit, how often it is asked for.
SERVICES = (
    ("hair", "cut", "Cut", "Coupe femme", "Damenschnitt", 45, 42, 6, 20),
    ("hair", "cut", "Men's cut", "Coupe homme", "Herrenschnitt", 30, 28, 4, 14),
    ("hair", "cut", "Children's cut", "Coupe enfant", "Kinderschnitt", 30, 20, 8, 5),
    ("hair", "cut", "Fringe trim", "Retouche frange", "Pony schneiden", 15, 10, 3, 3),
    ("hair", "cut", "Cut and blow-dry", "Coupe et brushing", "Schnitt und Föhnen", 60, 58, 6, 16),
    ("hair", "cut", "Blow-dry", "Brushing", "Föhnen", 45, 30, None, 9),
    ("hair", "colour", "Roots", "Couleur racines", "Ansatzfarbe", 75, 55, 5, 10),
    ("hair", "colour", "Full colour", "Couleur complète", "Komplettfarbe", 105, 78, 7, 7),
    ("hair", "colour", "Balayage", "Balayage", "Balayage", 150, 120, 14, 5),
    ("hair", "colour", "Highlights", "Mèches", "Strähnen", 120, 95, 10, 5),
    ("hair", "colour", "Toner", "Patine", "Glossing", 30, 25, 6, 3),
    ("hair", "care", "Deep care", "Soin profond", "Intensivpflege", 30, 22, 6, 4),
    ("hair", "care", "Smoothing", "Lissage", "Glättung", 150, 160, 20, 1),
    ("hair", "care", "Perm", "Permanente", "Dauerwelle", 120, 90, 16, 1),
    ("hair", "beard", "Beard", "Barbe", "Bart", 20, 18, 3, 6),
    ("hair", "beard", "Cut and beard", "Coupe et barbe", "Schnitt und Bart", 45, 42, 4, 7),
    ("hair", "occasion", "Updo", "Chignon", "Hochsteckfrisur", 60, 65, None, 1),
    ("hair", "occasion", "Bridal hair", "Coiffure de mariée", "Brautfrisur", 120, 150, None, 1),
    ("beauty", "hands", "Manicure", "Manucure", "Maniküre", 45, 32, 3, 12),
    ("beauty", "hands", "Gel nails", "Pose gel", "Gelnägel", 75, 55, 4, 9),
    ("beauty", "hands", "Gel polish", "Semi-permanent", "Shellac", 45, 35, 3, 8),
    ("beauty", "feet", "Pedicure", "Pédicure", "Pediküre", 60, 45, 6, 6),
    ("beauty", "face", "Brows", "Sourcils", "Augenbrauen", 20, 15, 4, 9),
    ("beauty", "face", "Lash and brow tint", "Teinture cils et sourcils", "Wimpern und Brauen färben", 30, 28, 5, 5),
)
# What a man is given instead of a service for women, and the other way round (English names); never longer.
FOR_MEN = {"Cut": "Cut and beard", "Cut and blow-dry": "Cut and beard", "Updo": "Men's cut", "Bridal hair": "Men's cut"}
FOR_WOMEN = {"Men's cut": "Deep care", "Beard": "Fringe trim", "Cut and beard": "Cut"}
CATEGORIES = {
    "cut": ("Cuts", "Coupes", "Schnitte"),
    "colour": ("Colour", "Couleur", "Farbe"),
    "care": ("Care", "Soins", "Pflege"),
    "beard": ("Beard", "Barbe", "Bart"),
    "occasion": ("Occasions", "Occasions", "Anlässe"),
    "hands": ("Hands", "Mains", "Hände"),
    "feet": ("Feet", "Pieds", "Füße"),
    "face": ("Face", "Visage", "Gesicht"),
}
LANGUAGES = ("en", "fr", "de")

HEALTH_NOTES = (
    ("Allergy: PPD in dark colours. Patch test first.", "Allergie : PPD dans les couleurs foncées. Test cutané d'abord.",
     "Allergie: PPD in dunklen Farben. Vorher Hauttest."),
    ("Allergy: latex. Vinyl gloves.", "Allergie : latex. Gants en vinyle.", "Allergie: Latex. Handschuhe aus Vinyl."),
    ("Allergy: nuts. No almond oil.", "Allergie : fruits à coque. Pas d'huile d'amande.", "Allergie: Nüsse. Kein Mandelöl."),
    ("Sensitive scalp, lukewarm water.", "Cuir chevelu sensible, eau tiède.", "Empfindliche Kopfhaut, lauwarmes Wasser."),
)  # fmt: skip
NOTES = (
    ("Likes it quiet, brings a book.", "Aime le calme, apporte un livre.", "Mag es ruhig, bringt ein Buch mit."),
    ("Colour 7.3, 20 vol., 35 minutes.", "Couleur 7.3, 20 vol., 35 minutes.", "Farbe 7.3, 6 %, 35 Minuten."),
    (
        "Comes with a pram: seat by the door.",
        "Vient avec une poussette : place près de la porte.",
        "Kommt mit Kinderwagen: Platz an der Tür.",
    ),
    ("Coffee without sugar.", "Café sans sucre.", "Kaffee ohne Zucker."),
    ("Growing it out: tips only.", "Laisse pousser : pointes seulement.", "Lässt wachsen: nur die Spitzen."),
)
VISIT_NOTES = (
    ("Wants to try a shorter cut.", "Veut essayer plus court.", "Möchte es kürzer versuchen."),
    (
        "Photo of the last colour is on the phone.",
        "La photo de la dernière couleur est sur le téléphone.",
        "Foto der letzten Farbe ist auf dem Handy.",
    ),
    ("May be ten minutes late.", "Dix minutes de retard possibles.", "Kommt vielleicht zehn Minuten später."),
)

# The demo's one promotion: subject and text.
PROMOTION = {
    "en": ("A little warmth for you", "Until the end of the month every cut comes with a warm oil treatment[, {first_name}|]."),
    "fr": (
        "Un peu de chaleur pour vous",
        "Jusqu'à la fin du mois, un soin à l'huile chaude accompagne chaque coupe[, {first_name}|].",
    ),
    "de": ("Etwas Wärme für Sie", "Bis zum Monatsende gehört zu jedem Schnitt eine warme Ölpflege[, {first_name}|]."),
}
