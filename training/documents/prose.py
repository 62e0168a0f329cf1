"""Invoices as people write them in a mail: no table, no labels, only sentences."""

from __future__ import annotations

from training.documents import names
from training.documents.facts import Scribe

# {x}: the work, {k}: the number, {d}: the date, {a}: the total, {u}: the due date. The last sentence of a part is held out.
_OPENING: dict[str, tuple[str, ...]] = {
    "en": ("please find below our invoice {k} of {d} for {x}.", "We invoice you for {x} as follows: invoice {k}, dated {d}.",
           "Invoice number {k}, issued on {d}, covers {x}.", "for {x} we have made out bill {k} on {d}."),
    "de": ("anbei unsere Rechnung {k} vom {d} für {x}.", "für {x} stellen wir Ihnen mit Rechnung Nr. {k} vom {d} Folgendes in Rechnung.",
           "Die Rechnung {k}, ausgestellt am {d}, betrifft {x}.", "am {d} haben wir für {x} die Faktura {k} erstellt."),
    "fr": ("veuillez trouver notre facture {k} du {d} pour {x}.", "Nous vous facturons {x} : facture n° {k}, datée du {d}.",
           "La facture {k}, émise le {d}, concerne {x}.", "le {d} nous avons établi la note {k} pour {x}."),
    "es": ("adjuntamos nuestra factura {k} de fecha {d} por {x}.", "Le facturamos {x}: factura n.º {k}, con fecha {d}.",
           "La factura {k}, emitida el {d}, corresponde a {x}.", "el {d} hemos expedido la minuta {k} por {x}."),
    "it": ("in allegato la nostra fattura {k} del {d} per {x}.", "Vi fatturiamo {x}: fattura n. {k}, datata {d}.",
           "La fattura {k}, emessa il {d}, riguarda {x}.", "il {d} abbiamo redatto la parcella {k} per {x}."),
    "nl": ("hierbij onze factuur {k} van {d} voor {x}.", "Wij brengen u {x} in rekening: factuur {k}, gedateerd {d}.",
           "Factuur {k}, uitgegeven op {d}, betreft {x}.", "op {d} hebben wij voor {x} nota {k} opgemaakt."),
}  # fmt: skip
_TOTAL: dict[str, tuple[str, ...]] = {
    "en": ("The total comes to {a}.", "The amount due is {a}.", "We kindly ask you to pay {a}.", "All in all that makes {a}."),
    "de": ("Der Gesamtbetrag beläuft sich auf {a}.", "Zu zahlen sind {a}.", "Wir bitten um Überweisung von {a}.", "Alles in allem {a}."),
    "fr": ("Le montant total s'élève à {a}.", "Le total est de {a}.", "Nous vous prions de régler {a}.", "En tout cela fait {a}."),
    "es": ("El importe total asciende a {a}.", "El total es de {a}.", "Le rogamos que abone {a}.", "En suma son {a}."),
    "it": ("L'importo totale ammonta a {a}.", "Il totale è di {a}.", "Vi preghiamo di versare {a}.", "In tutto fanno {a}."),
    "nl": ("Het totaal bedraagt {a}.", "Te betalen: {a}.", "Wij verzoeken u {a} over te maken.", "Alles bij elkaar is dat {a}."),
}  # fmt: skip
_SPLIT: dict[str, tuple[str, ...]] = {
    "en": ("This is {n} plus {t} VAT.", "It consists of {n} net and {t} tax.", "Without tax of {t} it is {n}."),
    "de": ("Das sind {n} netto zuzüglich {t} MwSt.", "Darin: {n} netto und {t} Umsatzsteuer.", "Ohne die Steuer von {t} sind es {n}."),
    "fr": ("Soit {n} HT et {t} de TVA.", "Dont {n} hors taxes et {t} de TVA.", "Sans la taxe de {t}, {n}."),
    "es": ("Son {n} más {t} de IVA.", "Incluye {n} de base y {t} de IVA.", "Sin el impuesto de {t} son {n}."),
    "it": ("Sono {n} più {t} di IVA.", "Di cui {n} di imponibile e {t} di IVA.", "Senza l'imposta di {t} sono {n}."),
    "nl": ("Dat is {n} plus {t} btw.", "Waarvan {n} netto en {t} btw.", "Zonder de belasting van {t} is het {n}."),
}  # fmt: skip
_DUE: dict[str, tuple[str, ...]] = {
    "en": ("Please pay by {u}.", "Payment is due on {u}.", "We expect your payment no later than {u}.", "Kindly settle this until {u}."),
    "de": ("Bitte zahlen Sie bis zum {u}.", "Der Betrag ist am {u} fällig.", "Zahlbar bis {u}.", "Begleichen Sie dies bitte zum {u}."),
    "fr": ("Merci de payer avant le {u}.", "Le paiement est dû le {u}.", "À payer au plus tard le {u}.", "À régler pour le {u}."),
    "es": ("Rogamos el pago antes del {u}.", "El pago vence el {u}.", "A pagar a más tardar el {u}.", "Abónelo hasta el {u}."),
    "it": ("Si prega di pagare entro il {u}.", "Il pagamento scade il {u}.", "Da pagare entro e non oltre il {u}.", "Saldo al {u}."),
    "nl": ("Gelieve te betalen voor {u}.", "De betaling vervalt op {u}.", "Uiterlijk te betalen op {u}.", "Wilt u dit tot {u} voldoen."),
}  # fmt: skip
_HELLO: dict[str, str] = {
    "en": "Dear {p},;Hello {p},;Good morning,",
    "de": "Sehr geehrte Damen und Herren,;Guten Tag {p},;Hallo {p},",
    "fr": "Madame, Monsieur,;Bonjour {p},;Cher client,",
    "es": "Estimado cliente:;Buenos días, {p}:;Hola {p},",
    "it": "Gentile cliente,;Buongiorno {p},;Egregi Signori,",
    "nl": "Geachte heer, mevrouw,;Beste {p},;Goedemorgen {p},",
}
_BYE: dict[str, str] = {
    "en": "Kind regards;Best wishes;Thank you for your business",
    "de": "Mit freundlichen Grüßen;Viele Grüße;Vielen Dank für Ihren Auftrag",
    "fr": "Cordialement;Bien à vous;Merci de votre confiance",
    "es": "Un saludo;Atentamente;Gracias por su confianza",
    "it": "Cordiali saluti;Distinti saluti;Grazie per la fiducia",
    "nl": "Met vriendelijke groet;Hoogachtend;Dank voor uw opdracht",
}
_NOTES: dict[str, str] = {
    "en": "Goods remain our property until paid in full.;Please quote the number of the invoice with your payment.;"
    "Our general terms and conditions apply.;Late payment is charged at {p} % above base rate.;Your contact: {w};Project {x};"
    "We thank you for your order of {d} and look forward to working with you again.;Delivered by {w}, weight {k} kg",
    "de": "Die Ware bleibt bis zur vollständigen Bezahlung unser Eigentum.;Bitte geben Sie bei Zahlung die Nummer der Rechnung an.;"
    "Es gelten unsere Allgemeinen Geschäftsbedingungen.;Bei Verzug berechnen wir {p} % Zinsen.;Ihr Ansprechpartner: {w};Projekt {x};"
    "Wir danken für Ihren Auftrag vom {d} und freuen uns auf die weitere Zusammenarbeit.;Geliefert durch {w}, Gewicht {k} kg",
    "fr": "Les marchandises restent notre propriété jusqu'au paiement complet.;Merci d'indiquer le numéro de la facture.;"
    "Nos conditions générales s'appliquent.;Pénalités de retard : {p} % par an.;Votre contact : {w};Projet {x};"
    "Nous vous remercions de votre commande du {d}.;Livré par {w}, poids {k} kg",
    "es": "La mercancía es de nuestra propiedad hasta el pago completo.;Indique el número de la factura en su pago.;"
    "Se aplican nuestras condiciones generales.;Recargo por demora: {p} %.;Su contacto: {w};Proyecto {x};"
    "Gracias por su pedido del {d}.;Entregado por {w}, peso {k} kg",
    "it": "La merce resta di nostra proprietà fino al saldo.;Indicare il numero della fattura nel pagamento.;"
    "Valgono le nostre condizioni generali.;Interessi di mora: {p} %.;Il vostro referente: {w};Progetto {x};"
    "Grazie per il vostro ordine del {d}.;Consegnato da {w}, peso {k} kg",
    "nl": "De goederen blijven ons eigendom tot volledige betaling.;Vermeld het nummer van de factuur bij uw betaling.;"
    "Onze algemene voorwaarden zijn van toepassing.;Bij te late betaling rekenen wij {p} % rente.;Uw contact: {w};Project {x};"
    "Dank voor uw bestelling van {d}.;Geleverd door {w}, gewicht {k} kg",
}


def note(s: Scribe) -> list[str]:
    """A line that has nothing to do with what is asked, but may name people, days and numbers."""
    text = s.r.choice(_NOTES[s.facts.language].split(";"))
    return [
        text.format(p=s.r.randint(2, 12), w=names.person(s.r), x=names.word(s.r), d=s.any_date(), k=s.r.randint(2, 900))
    ]


def _pick(s: Scribe, sentences: tuple[str, ...]) -> str:
    """A sentence; the last one of each is for the evaluation of unseen wordings only."""
    return sentences[-1] if s.held_labels else s.r.choice(sentences[:-1])


def hello(s: Scribe) -> list[str]:
    """How a letter begins."""
    return [s.r.choice(_HELLO[s.facts.language].split(";")).format(p=names.person(s.r))]


def bye(s: Scribe) -> list[str]:
    """How a letter ends, without a name."""
    return [s.r.choice(_BYE[s.facts.language].split(";"))]


def signed(s: Scribe) -> list[str]:
    """How a letter ends: with a person and the company."""
    person = [names.person(s.r)] if s.r.random() < 0.6 else []
    return [*bye(s), *person, *(s.seller_lines() if s.r.random() < 0.5 else [s.facts.seller])]


def sentences(s: Scribe) -> list[str]:
    """The whole invoice in sentences, in one paragraph or in several."""
    facts, language = s.facts, s.facts.language
    s.written |= {"number", "date", "due", "net", "tax", "total"}
    what = facts.items[0].what
    texts = [_pick(s, _OPENING[language]).format(x=what, k=facts.number, d=facts.date)]
    texts.append(_pick(s, _TOTAL[language]).format(a=facts.money.show(facts.total, total=True)))
    if facts.with_net:
        texts.append(_pick(s, _SPLIT[language]).format(n=facts.money.show(facts.net), t=facts.money.show(facts.tax)))
    elif facts.with_tax:
        texts.append(f"{s.label('tax')}: {facts.money.show(facts.tax)}.")
    if facts.due is not None:
        texts.append(_pick(s, _DUE[language]).format(u=facts.due))
    return texts if s.r.random() < 0.4 else [" ".join(texts)]


def about(s: Scribe) -> list[str]:
    """Sentences for number, date and due date; the amounts stand elsewhere."""
    facts, language = s.facts, s.facts.language
    s.written |= {"number", "date", "due"}
    texts = [_pick(s, _OPENING[language]).format(x=facts.items[0].what, k=facts.number, d=facts.date)]
    if facts.due is not None:
        texts.append(_pick(s, _DUE[language]).format(u=facts.due))
    return [" ".join(texts)]


def summed(s: Scribe) -> list[str]:
    """Sentences for the amounts; the rest stands elsewhere."""
    facts, language = s.facts, s.facts.language
    s.written |= {"net", "tax", "total"}
    texts = [_pick(s, _TOTAL[language]).format(a=facts.money.show(facts.total, total=True))]
    if facts.with_net:
        texts.append(_pick(s, _SPLIT[language]).format(n=facts.money.show(facts.net), t=facts.money.show(facts.tax)))
    elif facts.with_tax:
        texts.append(f"{s.label('tax')}: {facts.money.show(facts.tax)}.")
    return [" ".join(texts)]


PROSE = {each.__name__: each for each in (hello, bye, signed, sentences, about, summed)}
