"""What people write in mails, in six languages: a sentence for each kind, requests, deadlines, and what surrounds them.

Sentences are separated by `;`. The last sentence of each list is held out for evaluation.
"""

from __future__ import annotations

# {t} is the subject matter.
SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "invoice": "attached you will find our invoice for {t}.;Here is the bill for {t}.;The invoice concerning {t} is attached.;"
        "This is a reminder that our invoice for {t} is still unpaid.;you will receive the statement of costs for {t} herewith.",
        "meeting": "could we meet to talk about {t}?;I would like to arrange a meeting about {t}.;Let us find a date to discuss {t}.;"
        "Shall we have a call about {t}?;I suggest we sit down together over {t}.",
        "order": "we would like to order {t}.;Please send us {t}.;I hereby order {t}.;Our order: {t}.;kindly put us down for {t}.",
        "complaint": "we are not satisfied with {t}.;Unfortunately {t} arrived damaged.;There is a serious problem with {t}.;"
        "I have to complain about {t}.;what went wrong with {t} is unacceptable.",
        "question": "do you know anything about {t}?;I have a question about {t}.;Could you tell me more about {t}?;"
        "How does it work with {t}?;would you explain {t} to me?",
        "notice": "we inform you about {t}.;Please note the following about {t}.;There is news on {t}.;"
        "We have made progress with {t}.;for your information: {t} has been settled.",
        "advertising": "do not miss our offer: {t} at half the price!;Save 30 % on {t} now!;New in our shop: {t}!;"
        "Only this week: {t} for a special price!;discover {t} and win great prizes!",
        "other": "thank you for the nice evening.;I hope you are well.;Happy birthday from all of us.;"
        "It was lovely to see you.;greetings from the seaside.",
    },
    "de": {
        "invoice": "anbei erhalten Sie unsere Rechnung für {t}.;Hier ist die Rechnung über {t}.;Die Rechnung zu {t} liegt bei.;"
        "Unsere Rechnung für {t} ist noch offen.;die Kostenaufstellung zu {t} geht Ihnen hiermit zu.",
        "meeting": "können wir uns zu {t} treffen?;Ich möchte einen Termin zu {t} vereinbaren.;Lassen Sie uns {t} besprechen.;"
        "Wollen wir zu {t} telefonieren?;ich schlage vor, dass wir uns wegen {t} zusammensetzen.",
        "order": "wir möchten {t} bestellen.;Bitte senden Sie uns {t}.;Hiermit bestelle ich {t}.;Unsere Bestellung: {t}.;"
        "bitte merken Sie {t} für uns vor.",
        "complaint": "wir sind mit {t} nicht zufrieden.;Leider kam {t} beschädigt an.;Es gibt ein ernstes Problem mit {t}.;"
        "Ich muss mich über {t} beschweren.;was bei {t} schiefging, ist nicht hinnehmbar.",
        "question": "wissen Sie etwas über {t}?;Ich habe eine Frage zu {t}.;Können Sie mir mehr über {t} sagen?;"
        "Wie verhält es sich mit {t}?;würden Sie mir {t} erklären?",
        "notice": "wir informieren Sie über {t}.;Bitte beachten Sie Folgendes zu {t}.;Es gibt Neues zu {t}.;"
        "Wir sind mit {t} vorangekommen.;zu Ihrer Kenntnis: {t} ist erledigt.",
        "advertising": "verpassen Sie nicht unser Angebot: {t} zum halben Preis!;Jetzt 30 % sparen bei {t}!;Neu im Shop: {t}!;"
        "Nur diese Woche: {t} zum Sonderpreis!;entdecken Sie {t} und gewinnen Sie tolle Preise!",
        "other": "vielen Dank für den schönen Abend.;Ich hoffe, es geht dir gut.;Alles Gute zum Geburtstag von uns allen.;"
        "Es war schön, euch zu sehen.;Grüße vom Meer.",
    },
    "fr": {
        "invoice": "veuillez trouver ci-joint notre facture pour {t}.;Voici la facture de {t}.;La facture concernant {t} est jointe.;"
        "Notre facture pour {t} reste impayée.;vous recevez par la présente le décompte pour {t}.",
        "meeting": "pouvons-nous nous rencontrer au sujet de {t} ?;Je souhaite fixer un rendez-vous pour {t}.;Parlons ensemble de {t}.;"
        "Peut-on s'appeler pour {t} ?;je propose une réunion sur {t}.",
        "order": "nous souhaitons commander {t}.;Merci de nous envoyer {t}.;Je commande par la présente {t}.;Notre commande : {t}.;"
        "veuillez nous réserver {t}.",
        "complaint": "nous ne sommes pas satisfaits de {t}.;Malheureusement {t} est arrivé abîmé.;Il y a un grave problème avec {t}.;"
        "Je dois me plaindre de {t}.;ce qui s'est passé avec {t} est inacceptable.",
        "question": "savez-vous quelque chose sur {t} ?;J'ai une question sur {t}.;Pouvez-vous m'en dire plus sur {t} ?;"
        "Comment cela marche-t-il avec {t} ?;pourriez-vous m'expliquer {t} ?",
        "notice": "nous vous informons au sujet de {t}.;Veuillez noter ce qui suit sur {t}.;Il y a du nouveau sur {t}.;"
        "Nous avons avancé sur {t}.;pour information : {t} est réglé.",
        "advertising": "ne manquez pas notre offre : {t} à moitié prix !;Économisez 30 % sur {t} !;Nouveau en boutique : {t} !;"
        "Cette semaine seulement : {t} à prix spécial !;découvrez {t} et gagnez de beaux prix !",
        "other": "merci pour la belle soirée.;J'espère que tu vas bien.;Joyeux anniversaire de notre part à tous.;"
        "C'était un plaisir de vous voir.;un bonjour du bord de mer.",
    },
    "es": {
        "invoice": "adjuntamos nuestra factura por {t}.;Aquí está la factura de {t}.;La factura sobre {t} va adjunta.;"
        "Nuestra factura por {t} sigue pendiente de pago.;le remitimos la liquidación de {t}.",
        "meeting": "¿podemos reunirnos para hablar de {t}?;Quisiera concertar una cita sobre {t}.;Busquemos una fecha para {t}.;"
        "¿Hablamos por teléfono sobre {t}?;propongo que nos sentemos a tratar {t}.",
        "order": "queremos pedir {t}.;Por favor, envíennos {t}.;Por la presente pido {t}.;Nuestro pedido: {t}.;resérvenos {t}.",
        "complaint": "no estamos satisfechos con {t}.;Por desgracia {t} llegó dañado.;Hay un problema grave con {t}.;"
        "Tengo que quejarme de {t}.;lo ocurrido con {t} es inaceptable.",
        "question": "¿sabe usted algo de {t}?;Tengo una pregunta sobre {t}.;¿Puede decirme más sobre {t}?;¿Cómo va lo de {t}?;"
        "¿me explicaría {t}?",
        "notice": "le informamos sobre {t}.;Tenga en cuenta lo siguiente sobre {t}.;Hay novedades sobre {t}.;"
        "Hemos avanzado con {t}.;para su información: {t} está resuelto.",
        "advertising": "¡no se pierda nuestra oferta: {t} a mitad de precio!;¡Ahorre un 30 % en {t}!;Nuevo en la tienda: {t}.;"
        "¡Solo esta semana: {t} a precio especial!;¡descubra {t} y gane grandes premios!",
        "other": "gracias por la agradable velada.;Espero que estés bien.;Feliz cumpleaños de parte de todos.;"
        "Fue un placer veros.;saludos desde la playa.",
    },
    "it": {
        "invoice": "in allegato trovate la nostra fattura per {t}.;Ecco la fattura di {t}.;La fattura relativa a {t} è allegata.;"
        "La nostra fattura per {t} risulta ancora aperta.;vi trasmettiamo il conto per {t}.",
        "meeting": "possiamo incontrarci per parlare di {t}?;Vorrei fissare un appuntamento su {t}.;Troviamo una data per {t}.;"
        "Ci sentiamo al telefono per {t}?;propongo di sederci insieme su {t}.",
        "order": "vorremmo ordinare {t}.;Vi prego di inviarci {t}.;Con la presente ordino {t}.;Il nostro ordine: {t}.;"
        "riservateci {t}.",
        "complaint": "non siamo soddisfatti di {t}.;Purtroppo {t} è arrivato danneggiato.;C'è un grave problema con {t}.;"
        "Devo lamentarmi di {t}.;quanto accaduto con {t} è inaccettabile.",
        "question": "sapete qualcosa di {t}?;Ho una domanda su {t}.;Potete dirmi di più su {t}?;Come funziona con {t}?;"
        "mi spieghereste {t}?",
        "notice": "vi informiamo su {t}.;Si prega di notare quanto segue su {t}.;Ci sono novità su {t}.;"
        "Abbiamo fatto progressi con {t}.;per vostra conoscenza: {t} è risolto.",
        "advertising": "non perdete la nostra offerta: {t} a metà prezzo!;Risparmiate il 30 % su {t}!;Nuovo in negozio: {t}!;"
        "Solo questa settimana: {t} a prezzo speciale!;scoprite {t} e vincete fantastici premi!",
        "other": "grazie per la bella serata.;Spero che tu stia bene.;Buon compleanno da tutti noi.;"
        "È stato bello vedervi.;saluti dal mare.",
    },
    "nl": {
        "invoice": "bijgaand vindt u onze factuur voor {t}.;Hier is de rekening voor {t}.;De factuur over {t} is bijgevoegd.;"
        "Onze factuur voor {t} staat nog open.;hierbij ontvangt u de kostenopgave voor {t}.",
        "meeting": "kunnen we afspreken over {t}?;Ik wil graag een afspraak maken over {t}.;Laten we een datum zoeken voor {t}.;"
        "Zullen we bellen over {t}?;ik stel voor dat we om tafel gaan over {t}.",
        "order": "wij willen graag {t} bestellen.;Stuurt u ons alstublieft {t}.;Hierbij bestel ik {t}.;Onze bestelling: {t}.;"
        "noteert u {t} voor ons.",
        "complaint": "wij zijn niet tevreden over {t}.;Helaas is {t} beschadigd aangekomen.;Er is een ernstig probleem met {t}.;"
        "Ik moet mij beklagen over {t}.;wat er misging met {t} is onaanvaardbaar.",
        "question": "weet u iets over {t}?;Ik heb een vraag over {t}.;Kunt u mij meer vertellen over {t}?;Hoe zit het met {t}?;"
        "wilt u mij {t} uitleggen?",
        "notice": "wij informeren u over {t}.;Let op het volgende over {t}.;Er is nieuws over {t}.;"
        "We zijn opgeschoten met {t}.;ter informatie: {t} is afgehandeld.",
        "advertising": "mis onze aanbieding niet: {t} voor de halve prijs!;Bespaar nu 30 % op {t}!;Nieuw in de winkel: {t}!;"
        "Alleen deze week: {t} voor een speciale prijs!;ontdek {t} en win mooie prijzen!",
        "other": "bedankt voor de fijne avond.;Ik hoop dat het goed met je gaat.;Gefeliciteerd met je verjaardag van ons allen.;"
        "Het was fijn jullie te zien.;groeten van zee.",
    },
}

REQUESTS: dict[str, str] = {
    "en": "Please let me know.;Please get back to me.;Can you confirm this?;I look forward to your answer.;A word from you would help.",
    "de": "Bitte geben Sie mir Bescheid.;Bitte melden Sie sich.;Können Sie das bestätigen?;Ich bitte um Antwort.;Ein Wort von Ihnen genügt.",
    "fr": "Merci de me tenir au courant.;Merci de me répondre.;Pouvez-vous confirmer ?;J'attends votre réponse.;Un mot de vous suffirait.",
    "es": "Por favor, avíseme.;Le ruego que me responda.;¿Puede confirmarlo?;Espero su respuesta.;Bastaría una palabra suya.",
    "it": "Fatemi sapere, per favore.;Vi prego di rispondermi.;Potete confermare?;Attendo una risposta.;Basterebbe una vostra parola.",
    "nl": "Laat het mij weten alstublieft.;Wilt u contact opnemen?;Kunt u dit bevestigen?;Ik hoor graag van u.;Eén woord van u volstaat.",
}
# {u} is the deadline.
DEADLINES: dict[str, str] = {
    "en": "Please answer by {u}.;We need your reply by {u}.;Can you do this until {u}?;The deadline is {u}.;It should be done before {u}.",
    "de": "Bitte antworten Sie bis {u}.;Wir brauchen Ihre Rückmeldung bis {u}.;Geht das bis {u}?;Die Frist ist {u}.;Es sollte vor {u} fertig sein.",
    "fr": "Merci de répondre avant {u}.;Il nous faut votre réponse pour {u}.;Est-ce possible d'ici {u} ?;La date limite est {u}.;Ce doit être fait avant {u}.",
    "es": "Responda antes de {u}.;Necesitamos su respuesta para {u}.;¿Es posible hasta {u}?;El plazo es {u}.;Debería estar listo antes de {u}.",
    "it": "Rispondete entro {u}.;Ci serve una risposta per {u}.;È possibile entro {u}?;La scadenza è {u}.;Va fatto prima di {u}.",
    "nl": "Antwoordt u voor {u}.;Wij hebben uw antwoord nodig voor {u}.;Lukt dat uiterlijk {u}?;De deadline is {u}.;Het moet klaar zijn voor {u}.",
}
SOON: dict[str, str] = {
    "en": "tomorrow;the end of the month;noon on {w};the end of the week;next {w};{w}",
    "de": "morgen;Ende des Monats;{w} Mittag;Ende der Woche;nächsten {w};{w}",
    "fr": "demain;la fin du mois;{w} midi;la fin de la semaine;{w} prochain;{w}",
    "es": "mañana;fin de mes;{w} al mediodía;el fin de semana;el próximo {w};{w}",
    "it": "domani;fine mese;{w} a mezzogiorno;la fine della settimana;{w} prossimo;{w}",
    "nl": "morgen;het einde van de maand;{w} twaalf uur;het einde van de week;volgende {w};{w}",
}
FILLERS: dict[str, str] = {
    "en": "I hope this finds you well.;As discussed on {d}.;We met last week.;Thank you in advance.;The weather is finally better.;"
    "My colleague {p} has already told you.;You can reach me by phone.;This has been going on since {d}.",
    "de": "ich hoffe, es geht Ihnen gut.;Wie am {d} besprochen.;Wir haben uns letzte Woche gesehen.;Vielen Dank im Voraus.;"
    "Mein Kollege {p} hat Ihnen schon davon erzählt.;Sie erreichen mich telefonisch.;Das geht so seit dem {d}.",
    "fr": "j'espère que vous allez bien.;Comme convenu le {d}.;Nous nous sommes vus la semaine dernière.;Merci d'avance.;"
    "Mon collègue {p} vous en a déjà parlé.;Vous pouvez me joindre par téléphone.;Cela dure depuis le {d}.",
    "es": "espero que esté bien.;Como hablamos el {d}.;Nos vimos la semana pasada.;Gracias de antemano.;"
    "Mi colega {p} ya se lo ha contado.;Puede llamarme por teléfono.;Esto dura desde el {d}.",
    "it": "spero che stiate bene.;Come concordato il {d}.;Ci siamo visti la settimana scorsa.;Grazie in anticipo.;"
    "Il mio collega {p} ve ne ha già parlato.;Potete chiamarmi al telefono.;Va avanti dal {d}.",
    "nl": "ik hoop dat het goed met u gaat.;Zoals besproken op {d}.;We zagen elkaar vorige week.;Alvast bedankt.;"
    "Mijn collega {p} heeft u er al over verteld.;U kunt mij telefonisch bereiken.;Dit duurt al sinds {d}.",
}
TOPICS: dict[str, str] = {
    "en": "printer cartridges;the new website;office chairs;the roof repair;the annual report;your training course;the delivery of last week;"
    "winter tyres;the contract;the parking spaces;the heating;garden furniture;the software update;holiday dates;the trade fair;the budget",
    "de": "Druckerpatronen;die neue Webseite;Bürostühle;die Dachreparatur;den Jahresbericht;Ihre Schulung;die Lieferung der letzten Woche;"
    "Winterreifen;den Vertrag;die Parkplätze;die Heizung;Gartenmöbel;das Update der Software;die Urlaubstage;die Messe;das Budget",
    "fr": "cartouches d'encre;le nouveau site;chaises de bureau;la réparation du toit;le rapport annuel;votre formation;pneus d'hiver;"
    "le contrat;les places de parking;le chauffage;meubles de jardin;la mise à jour du logiciel;les congés;le salon;le budget",
    "es": "cartuchos de tinta;la nueva web;sillas de oficina;la reparación del tejado;el informe anual;su curso;la entrega de la semana pasada;"
    "neumáticos;el contrato;las plazas de aparcamiento;la calefacción;muebles de jardín;las vacaciones;la feria;el presupuesto",
    "it": "cartucce per stampante;il nuovo sito;sedie da ufficio;la riparazione del tetto;la relazione annuale;il vostro corso;pneumatici;"
    "il contratto;i parcheggi;il riscaldamento;mobili da giardino;l'aggiornamento del software;le ferie;la fiera;il bilancio",
    "nl": "inktpatronen;de nieuwe website;bureaustoelen;de reparatie van het dak;het jaarverslag;uw cursus;de levering van vorige week;"
    "winterbanden;het contract;de parkeerplaatsen;de verwarming;tuinmeubelen;de software-update;de vakantiedagen;de beurs;het budget",
}
SUBJECT: dict[str, str] = {
    "en": "Subject",
    "de": "Betreff",
    "fr": "Objet",
    "es": "Asunto",
    "it": "Oggetto",
    "nl": "Onderwerp",
}
HEADS: dict[str, tuple[str, str, str]] = {
    "en": ("From", "To", "Date"),
    "de": ("Von", "An", "Datum"),
    "fr": ("De", "À", "Date"),
    "es": ("De", "Para", "Fecha"),
    "it": ("Da", "A", "Data"),
    "nl": ("Van", "Aan", "Datum"),
}
WROTE: dict[str, str] = {
    "en": "On {d}, {p} wrote:",
    "de": "Am {d} schrieb {p}:",
    "fr": "Le {d}, {p} a écrit :",
    "es": "El {d}, {p} escribió:",
    "it": "Il {d} {p} ha scritto:",
    "nl": "Op {d} schreef {p}:",
}
HELLO: dict[str, str] = {
    "en": "Hello {p},;Dear {p},;Hi,;Good morning,;Dear Sir or Madam,;{p},",
    "de": "Hallo {p},;Guten Tag {p},;Sehr geehrte Damen und Herren,;Moin,;Liebe Kollegen,",
    "fr": "Bonjour {p},;Bonjour,;Madame, Monsieur,;Chère {p},;Chers collègues,",
    "es": "Hola {p},;Estimado {p}:;Buenos días,;Estimados señores:",
    "it": "Buongiorno {p},;Ciao {p},;Gentili signori,;Gentile {p},",
    "nl": "Beste {p},;Hallo {p},;Goedemorgen,;Geachte heer, mevrouw,",
}
BYE: dict[str, str] = {
    "en": "Kind regards;Best wishes;Cheers;Yours sincerely;Thanks",
    "de": "Mit freundlichen Grüßen;Viele Grüße;Beste Grüße;Danke und Gruß",
    "fr": "Cordialement;Bien à vous;Meilleures salutations;Merci",
    "es": "Un saludo;Atentamente;Saludos cordiales;Gracias",
    "it": "Cordiali saluti;Distinti saluti;A presto;Grazie",
    "nl": "Met vriendelijke groet;Groeten;Hartelijke groet;Dank",
}


def options(text: str) -> list[str]:
    """The sentences of a list."""
    return text.split(";")
