"""The words with which mail clients introduce what they quote, and people close their messages, by language."""

from __future__ import annotations

from typing import Final


def _any(*words: str) -> str:
    return "|".join(word.replace(" ", r"\s+") for word in sorted(words, key=len, reverse=True))


WROTE: Final = _any(
    "wrote", "writes", "schrieb", "hat geschrieben", "a écrit", "écrit", "escribió", "ha escrito", "ha scritto",
    "scrive", "schreef", "escreveu", "napisał", "napisała", r"napisał\(a\)", "pisze", "skrev", "skriver", "kirjoitti",
    "napsal", r"napsal\(a\)", "napsala", "napísal", "írta", "ezt írta", "a scris", "şunu yazdı", "yazdı", "пишет",
    "писал", "написал", "написала", "пише", "написав", "έγραψε", "đã viết", "menulis", "написа", "escrigué",
    "va escriure",
    r"님이\s*작성", "のメッセージ", "さんは書きました", "写道", "寫道", "寫道：", "写道：",
)  # fmt: skip
ON: Final = _any(
    "on", "am", "le", "el", "il", "op", "em", "no dia", "w dniu", "dnia", "den", "på", "kl", "dne", "dňa", "pe", "la",
    "tarihinde", "в", "στις", "vào", "pada", "le jeu", "el día", "il giorno", "at", "в ср", "на", "a", "il", "në",
    "mon", "tue", "wed", "thu", "fri", "sat", "sun",
)  # fmt: skip
ORIGINAL: Final = _any(
    "original message", "original appointment", "reply message", "original e-?mail", "ursprüngliche nachricht",
    "ursprünglicher termin", "original-?nachricht", "antwort nachricht", "message d'origine", "message original",
    "mensaje original", "messaggio originale", "messaggio di risposta", "oorspronkelijk bericht", "mensagem original",
    "wiadomość oryginalna", "oryginalna wiadomość", "ursprungligt meddelande", "originalmeddelande",
    "oprindelig meddelelse", "opprinnelig melding", "original melding", "alkuperäinen viesti", "původní zpráva",
    "eredeti üzenet", "mesaj original", "orijinal ileti", "исходное сообщение", "пересылаемое сообщение",
    "oprindelig besked", "thư gốc", "邮件原件", "原始邮件", "原始郵件", "원본 메시지", "元のメッセージ",
)  # fmt: skip
BEGIN: Final = _any("begin quoted message", "beginn der nachricht")
FORWARDED: Final = _any(
    "forwarded message", "forwarded by .{0,80}", "weitergeleitete nachricht", "message transféré", "message transmis",
    "mensaje reenviado", "messaggio inoltrato", "doorgestuurd bericht", "mensagem encaminhada",
    "przekazana wiadomość", "wiadomość przekazana", "vidarebefordrat meddelande", "videresendt meddelelse",
    "videresendt melding", "välitetty viesti", "přeposlaná zpráva", "továbbított üzenet", "mesaj redirecționat",
    "yönlendirilmiş ileti", "пересланное сообщение", "переслане повідомлення",
    "转发的邮件", "전달된 메시지", "転送メッセージ",
)  # fmt: skip
BEGIN_FORWARD: Final = _any(
    "begin forwarded message", "anfang der weitergeleiteten nachricht", "début du message transféré",
    "début du message réexpédié", "inicio del mensaje reenviado", "inizio messaggio inoltrato",
    "begin doorgestuurd bericht", "início da mensagem encaminhada",
)  # fmt: skip
FROM: Final = _any(
    "from", "von", "de", "da", "van", "od", "från", "fra", "lähettäjä", "feladó", "kimden", "gönderen", "от", "від",
    "từ", "expéditeur", "remitente", "mittente", "remetente", "afzender",
    "发件人", "寄件者", "差出人", "보낸 사람", "από",
)  # fmt: skip
OTHER: Final = _any(
    "sent", "date", "to", "cc", "bcc", "subject", "reply-to", "importance", "attachments", "gesendet", "datum", "an",
    "kopie", "betreff", "envoyé", "envoyé le", "à", "objet", "date d'envoi", "enviado", "enviado el",
    "fecha", "para", "asunto",
    "inviato", "data", "a", "oggetto", "verzonden", "aan", "onderwerp", "enviada em", "enviado em", "assunto",
    "wysłano", "do", "temat", "dw", "skickat", "till", "kopia", "ämne", "dato", "sendt", "til", "emne", "kopi",
    "lähetetty", "päiväys", "vastaanottaja", "aihe", "odesláno", "komu", "kopie", "předmět", "küldve", "címzett",
    "tárgy", "trimis", "către", "subiect", "gönderilme tarihi", "tarih", "kime", "konu", "отправлено", "дата", "кому",
    "тема", "копия", "đã gửi", "tới", "đến", "chủ đề", "tiêu đề", "ngày",
    "发送时间", "日期", "收件人", "抄送", "主题", "主旨",
    "日時", "送信日時", "宛先", "件名", "보낸 날짜", "받는 사람", "제목", "predmet", "dátum", "kam", "θέμα", "προς",
)  # fmt: skip
ABOVE: Final = _any(
    "please reply above this line", "reply above this line", "please type your reply above this line",
    "bitte oberhalb dieser zeile antworten", "répondez au-dessus de cette ligne",
)  # fmt: skip
SENT_FROM: Final = _any(
    "sent from my", "sent from", "sent with", "sent via", "get outlook for", "von meinem .{0,30} gesendet",
    "gesendet von", "gesendet mit", "diese nachricht wurde von", "envoyé de mon", "envoyé depuis",
    "envoyé à partir de",
    "enviado desde", "enviado do meu", "enviado a partir do", "inviato da", "verzonden vanaf", "verstuurd vanaf",
    "wysłane z", "wysłano z", "skickat från", "sendt fra", "lähetetty", "odesláno z", "отправлено с", "отправлено из",
    "iphoneから送信", "从我的", "发自我的",
)  # fmt: skip
CLOSINGS: Final = _any(
    "best regards", "kind regards", "warm regards", "regards", "best wishes", "best", "cheers", "sincerely",
    "yours sincerely", "yours faithfully", "yours truly", "many thanks", "thanks", "thank you", "thx",
    "with kind regards", "mit freundlichen grüßen", "mit freundlichem gruß", "freundliche grüße", "viele grüße",
    "beste grüße", "liebe grüße", "schöne grüße", "grüße", "gruß", "mfg", "lg", "vg", "cordialement", "bien à vous",
    "bien cordialement", "salutations", "amicalement", "merci", "saludos", "un saludo", "saludos cordiales",
    "atentamente", "gracias", "cordiali saluti", "distinti saluti", "saluti", "grazie", "met vriendelijke groet",
    "vriendelijke groet", "groeten", "groetjes", "mvg", "atenciosamente", "cumprimentos", "abraço", "obrigado",
    "obrigada", "pozdrawiam", "z poważaniem", "med vänlig hälsning", "vänliga hälsningar", "hälsningar",
    "med venlig hilsen",
    "venlig hilsen", "med vennlig hilsen", "vennlig hilsen", "hilsen", "mvh", "ystävällisin terveisin", "terveisin",
    "s pozdravem", "üdvözlettel", "cu stimă", "saygılarımla", "с уважением", "з повагою", "с наилучшими пожеланиями",
)  # fmt: skip
