"""Unwanted mail as it comes today: letters made up for these tests, of the kinds that offices get, honest and not."""

from __future__ import annotations

import pytest

from skerry_workflows.email.mime import parse
from skerry_workflows.email.spam import Score, score

MX = "by mx.office.example (Postfix) with ESMTPS id 4XyZ12aBcD for <bo@office.example>; Tue, 4 Mar 2025 09:15:04 +0100"


def letter(
    sender: str,
    subject: str,
    text: str,
    *,
    server: str = "",
    results: str = "spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass header.from={domain}",
    html: bool = False,
    more: str = "",
    identity: str = "",
) -> bytes:
    """A message as the office's server puts it down. `server`: whom it came from, as that says."""
    domain = sender.rpartition("@")[2].rstrip(">")
    server = server or f"mail-7.{domain} (mail-7.{domain} [198.51.100.7])"
    lines = [
        f"Return-Path: <bounce@{domain}>",
        f"Authentication-Results: mx.office.example; {results.format(domain=domain)}" if results else "",
        f"Received: from {server} {MX}",
        f"From: {sender}",
        "To: Bo Berg <bo@office.example>",
        "Date: Tue, 4 Mar 2025 09:15:02 +0100",
        f"Message-ID: {identity or f'<7f3a@{domain}>'}",
        f"Subject: {subject}",
        "MIME-Version: 1.0",
        f"Content-Type: text/{'html' if html else 'plain'}; charset=utf-8",
        more,
    ]
    return ("\n".join(line for line in lines if line) + f"\n\n{text}\n").encode()


def page(*paragraphs: str) -> str:
    return (
        f"<html><body><table><tr><td>{''.join(f'<p>{each}</p>' for each in paragraphs)}</td></tr></table></body></html>"
    )


LEAVE = "List-Unsubscribe: <https://{0}/u/1>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"
WANTED = {
    "receipt": letter(
        "Garden Shop <orders@gardenshop.example>",
        "Your order 20981 has been shipped",
        page(
            "Hi Bo, thank you for your order. Free shipping was applied. Total: $48.20, paid by Visa ending in 0042.",
            '<a href="https://gardenshop.example/orders/20981">Track your parcel</a> or click here for returns.',
            "Questions? Call 1-800-555-0100. Save 10% on your next order with code SPRING.",
        ),
        html=True,
    ),
    "receipt through a service": letter(
        "Cafe Mole <hello@cafemole.example>",
        "Your invoice from Cafe Mole",
        page(
            "Thanks for stopping by! You paid $9.40. Tip $1.00. Total $10.40.",
            '<a href="https://u123.ct.mailservice.example/ls/click?upn=abc">View invoice</a>',
        ),
        html=True,
        server="o1.ptr99.mailservice.example (o1.ptr99.mailservice.example [198.51.100.99])",
    ),
    "verify your address": letter(
        "Tasks <no-reply@tasks.example>",
        "Please verify your email address",
        page(
            "Hi Bo, please verify your account to finish signing up. The link expires in 24 hours.",
            '<a href="https://app.tasks.example/verify/ab12">Verify email</a>',
            "If you did not sign up, you can ignore this email.",
        ),
        html=True,
    ),
    "new sign-in": letter(
        "Codehost <noreply@codehost.example>",
        "[Codehost] A new sign-in to your account",
        "Hey bo!\n\nWe noticed a sign-in from a new device. If this was not you, reset your password:\n"
        "https://codehost.example/settings/security\n\nThanks,\nThe Codehost Team",
    ),
    "review on a pull request": letter(
        "ada <notifications@codehost.example>",
        "Re: [acme/widgets] Fix the parser (PR #412)",
        "@ada commented on this pull request.\n\n> +    return None\n\nThis must raise.\n\n-- \nReply to this email "
        "directly or view it on Codehost:\nhttps://codehost.example/acme/widgets/pull/412",
        more="List-ID: acme/widgets <widgets.acme.codehost.example>\nPrecedence: list\n"
        "In-Reply-To: <acme/widgets/pull/412@codehost.example>",
    ),
    "newsletter through a service": letter(
        "Weekly Looms <looms@weeklylooms.example>",
        "Issue 88: how to pick yarn, and a spring sale!",
        page(
            "Special offer: save 20% on all yarns until Sunday. Don't miss it!",
            '<a href="https://links.mailer.example/c/1">Shop now</a>',
            '<a href="https://links.mailer.example/unsubscribe/1">Unsubscribe</a> | Weekly Looms, 1 Mill Road',
        ),
        html=True,
        server="m12.mailer.example (m12.mailer.example [198.51.100.12])",
        more=LEAVE.format("links.mailer.example"),
    ),
    "newsletter in German": letter(
        "Werkzeugladen <news@werkzeugladen.example>",
        "Nur noch heute: 15% auf alle Bohrer",
        page(
            "Sehr geehrter Herr Berg, klicken Sie hier, um die Angebote zu sehen.",
            '<a href="https://www.werkzeugladen.example/angebote">Zu den Angeboten</a>',
            '<a href="https://www.werkzeugladen.example/abmelden">Newsletter abbestellen</a>',
        ),
        html=True,
        more=LEAVE.format("www.werkzeugladen.example"),
    ),
    "calendar invitation": letter(
        "Ada Byron <ada@customer.example>",
        "Invitation: Review @ Thu Mar 6, 2025 10am - 11am (CET) (bo@office.example)",
        "You have been invited to the following event.\n\nReview\nWhen: Thu Mar 6, 2025 10am – 11am\nWho: ada, bo\n\n"
        "Going? https://calendar.mailhouse.example/event?action=RESPOND",
        server="mail-sor-f41.mailhouse.example (mail-sor-f41.mailhouse.example [198.51.100.41])",
    ),
    "first letter of a customer": letter(
        "Carla Rossi <carla.rossi@gmail.com>",
        "Preventivo per 300 etichette",
        "Buongiorno,\n\npotreste inviarmi un preventivo per 300 etichette adesive, consegna a Torino?\n\nGrazie\nCarla",
        server="mail-wm1-f44.google.com (mail-wm1-f44.google.com [209.85.128.44])",
        identity="<CAD12ab34=xyz@mail.gmail.com>",
    ),
    "a complaint in capitals": letter(
        "JOHN PETERS <john.peters1962@yahoo.com>",
        "WRONG LAMPS!!",
        "I ORDERED TWO LAMPS AND GOT ONE. PLEASE SEND THE OTHER OR GIVE ME MY MONEY BACK. John Peters, order 3321",
        server="sonic301.mail.yahoo.com (sonic301.mail.yahoo.com [66.163.184.1])",
    ),
    "an application": letter(
        "Li Wei <li.wei@outlook.com>",
        "Application for the position of accountant",
        "Dear Sir or Madam,\n\nplease find attached my application. I have a bachelor's degree in economics and six "
        "years of experience with financial statements.\n\nKind regards\nLi Wei",
        server="mail-db8.outbound.protection.outlook.com (mail-db8.outbound.protection.outlook.com [40.107.1.1])",
    ),
    "a bank's notice": letter(
        "Sparbank <service@sparbank.example>",
        "Your statement for February is ready",
        "Dear customer,\n\nyour account statement is in your mailbox in online banking. We never ask for your "
        "password by "
        "mail.\n\nIf you have received this email in error, please notify the sender and delete it.\n\nSparbank",
    ),
    "a bank whose domain has another name": letter(
        "First Town Bank <service@ftb.example>",
        "Info on your deposit",
        "Dear Mr Berg,\n\nthe new conditions of your deposit are attached.\n\nFirst Town Bank",
    ),
    "a payment reminder": letter(
        "Accounts <accounts@supplier.example>",
        "URGENT: Overdue invoice 2025-114",
        "Dear Mr Berg,\n\nour invoice 2025-114 of $1,250.00 was due on 14 February. Please transfer the sum within 7 "
        "days"
        "; otherwise we charge interest.\n\nWith kind regards\nM. Stone\nSupplier Ltd, Reg. No. 4711",
        more="Importance: high\nX-Priority: 1\nX-Mailer: Microsoft Outlook 16.0",
    ),
    "a forwarded message": letter(
        "Eva Lind <eva@partner.example>",
        "Fwd: tender documents",
        "Bo, see below, can you have a look?\n\nEva\n\n-----Original Message-----\nFrom: Town Hall\nSent: Monday\n"
        "To: Eva Lind\nSubject: tender documents\n\nDear all, the offers are due on the 20th.",
    ),
    "a forwarded one whose SPF fails": letter(
        "Eva Lind <eva@partner.example>",
        "Minutes",
        "Dear Bo,\n\nhere are the minutes of Monday.\n\nEva",
        server="fwd.alumni.example (fwd.alumni.example [198.51.100.80])",
        results="spf=fail smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass header.from={domain}",
    ),
    "a mailing list that breaks DKIM": letter(
        "Eva Lind via talk <eva@partner.example>",
        "[talk] Meeting room",
        "The room is free on Thursday.\n_______________\ntalk mailing list\ntalk@lists.example",
        server="lists.example (lists.example [198.51.100.81])",
        results="spf=pass smtp.mailfrom=lists.example; dkim=fail header.d={domain}; dmarc=fail header.from={domain}",
        more="List-Id: <talk.lists.example>\nList-Post: <mailto:talk@lists.example>\nPrecedence: list",
    ),
    "a forwarder with ARC": letter(
        "Eva Lind <eva@partner.example>",
        "Minutes",
        "Dear Bo,\n\nhere are the minutes of Monday.\n\nEva",
        results="arc=pass (i=1); spf=fail smtp.mailfrom={domain}; dkim=fail header.d={domain}; dmarc=fail",
    ),
    "an airline": letter(
        "Nordair <booking@nordair.example>",
        "Your booking confirmation ABC123",
        page(
            "Your flight OSL - BER on 12 March. Travel insurance was included. Amount paid: $129.00 ($99.00 + $30.00).",
            '<a href="https://www.nordair.example/manage">Manage booking</a>. Click here to check in.',
            "This is an automatic message, please do not reply.",
        ),
        html=True,
        server="mta77.sends.example (mta77.sends.example [198.51.100.66])",
    ),
    "a report of a machine": letter(
        "Cron Daemon <root@web1.office.example>",
        "Cron <root@web1> /usr/local/bin/backup",
        "rsync: connection unexpectedly closed (0 bytes received so far)\nexit status 12",
        server="web1.office.example (web1.office.example [10.0.0.5])",
        results="",
    ),
    "a charity": letter(
        "River Trust <news@rivertrust.example>",
        "Thank you! Together we raised $12,000",
        page(
            "Dear friend of the river, thanks to you we raised $12,000! Give again today: every $10 counts.",
            '<a href="https://rivertrust.example/give">Donate</a>',
            "You are receiving this email because you signed up on our website. To be removed from our list, "
            '<a href="https://rivertrust.example/unsubscribe?x=1">click here</a>.',
        ),
        html=True,
        more=LEAVE.format("rivertrust.example"),
    ),
    "an old export": (
        b"Message-ID: <18782981.1075855378110.JavaMail.someone@host>\nDate: Mon, 14 May 2001 16:39:00 -0700 (PDT)\n"
        b"From: phil.example@energy.example\nTo: tim.example@energy.example\nSubject: \nX-From: Phil\nX-Folder: "
        b"\\Sent\n"
        b"X-Origin: A\n\nHere is our forecast for the month. The rates are too low, call me.\n"
    ),
    "a digest of links": letter(
        "Hacker Digest <digest@hackerdigest.example>",
        "Top stories: crypto winter, AI and a casino that was hacked",
        "\n\n".join(
            f"{n}. {title}\nhttps://hackerdigest.example/s/{n}\nA look at what happened, by people who were there, "
            "with numbers, a long discussion of causes, and what everybody else may learn from it for their own work."
            for n, title in enumerate(
                (
                    "How a casino was hacked through its aquarium",
                    "Bitcoin wallet bugs and what they cost",
                    "Mortgage rates explained with a spreadsheet",
                    "A new compiler in 500 lines",
                    "Why get paid in equity",
                    "Restoring a wooden boat",
                    "The history of the lottery",
                    "A filter for your own mail",
                ),
                1,
            )
        ),
        more=LEAVE.format("hackerdigest.example"),
    ),
}
NAMELESS = "vps88213.example (unknown [203.0.113.200])"
UNWANTED = {
    "phishing for a mailbox": letter(
        "IT Helpdesk <support@mailbox-upgrade.example>",
        "bo@office.example: your mailbox is almost full",
        page(
            "Dear user, your mailbox has exceeded its storage quota. Verify your account within 24 hours or it will be "
            "suspended.",
            '<a href="http://203.0.113.9/office.example/login">https://mail.office.example/upgrade</a>',
        ),
        html=True,
        server=NAMELESS,
        results="spf=none; dkim=none",
    ),
    "a parcel that waits for a fee": letter(
        "DHL Express <info@track-parcel-8813.example>",
        "Your parcel is pending!",
        page(
            "Your package could not be delivered. Pay the customs fee of $1.99 to release it.",
            '<a href="https://bit.ly/3xyz">Track and pay now</a>',
        ),
        html=True,
        server=NAMELESS,
    ),
    "who forges the domain": letter(
        "Sparbank <service@sparbank.example>",
        "Unusual activity on your account",
        page(
            "We noticed unusual activity. Please confirm your identity.",
            '<a href="https://sparbank.secure-check.example/login">https://www.sparbank.example</a>',
        ),
        html=True,
        results="spf=fail smtp.mailfrom={domain}; dkim=none; dmarc=fail header.from={domain}",
    ),
    "who has a fund": letter(
        "Barrister James <james.office7721@gmail.com>",
        "STRICTLY CONFIDENTIAL",
        "Dear Friend,\n\nI am the lawyer of a late client who left USD 12.5 million. As his next of kin cannot be "
        "found, I "
        "seek your help as a foreign partner. Reply with your telephone number.\n\nBarrister James",
        more="Reply-To: james.law@proton-mail.example",
        server="mail-oi1-f1.google.com (mail-oi1-f1.google.com [209.85.167.1])",
    ),
    "coins": letter(
        "Crypto Team <team@fastcoins4471.example>",
        "Turn $250 into $5,000!!",
        "Our trading robot makes guaranteed daily profits with bitcoin. Invest only $250 today and double your money. "
        "Limited time offer! Act now: http://fastcoins4471.example/join\n",
        server=NAMELESS,
        results="",
    ),
    "pills": letter(
        "Health Deals <deals@pills-r-cheap.example>",
        "Lose 20 pounds in 2 weeks - 70% OFF today only!",
        page(
            "Doctors hate this weight loss trick! Burn fat while you sleep. 100% natural, money back guarantee!",
            '<a href="http://a1b2c3.clicks.example/x">ORDER NOW</a>',
        ),
        html=True,
        server=NAMELESS,
        results="",
    ),
    "extortion": letter(
        "bo@office.example",
        "I have access to your device",
        "Your device was hacked. I recorded you while you visited adult sites. Send $900 in bitcoin to my wallet "
        "within 48 "
        "hours or your contacts will see it.",
        server=NAMELESS,
        results="spf=fail smtp.mailfrom=office.example",
    ),
    "a prize": letter(
        "Rewards <winner@rewards-claim.example>",
        "Congratulations! You have been selected",
        page(
            "Congratulations! You have won a $500 gift card. Claim your reward now!",
            '<a href="http://rewards-claim.example/c?1">CLAIM NOW</a>',
        ),
        html=True,
        server=NAMELESS,
        results="",
    ),
    "loans": letter(
        "Quick Loans <apply@quick-loans-77.example>",
        "Pre-approved: $50,000 personal loan",
        "Dear customer, you are pre-approved for a personal loan of up to $50,000. Low interest rates, no credit "
        "check. "
        "Apply today: http://quick-loans-77.example/apply",
        server=NAMELESS,
        results="",
    ),
    "who offers what nobody asked for": letter(
        "Kevin Grow <kevin@grow-agency.example>",
        "quick question",
        "Hi,\n\nI came across your website and noticed that it is not on the first page of Google. We are a digital "
        "marketing agency and can increase your traffic. Are you the right person to speak to? If you are not "
        "interested, "
        "just reply and let me know.\n\nKevin",
        results="",
    ),
    "a program that is attached": letter(
        "Accounting <scan@copier.example>",
        "Scanned document",
        "see attached",
        server=NAMELESS,
        results="",
        more='Content-Disposition: attachment; filename="scan_0042.pdf.exe"',
    ),
}


@pytest.mark.parametrize("name", WANTED)
def test_wanted_mail_is_kept(name: str) -> None:
    judged = score(parse(WANTED[name]))
    # Who shouts in capitals has people asked about them, no more.
    assert judged.probability < (0.8 if "capitals" in name else 0.5), said(judged)
    assert not judged.phishing


ABROAD = {
    "Su paquete": "Su paquete está retenido en la aduana. Pague 1,99 € para la entrega: http://correos-pago.example",
    "Ihr Konto": "Sehr geehrter Kunde, Ihr Konto wurde gesperrt. Bestätigen Sie Ihre Daten: http://konto-sicher.example/login",
    "Votre compte": "Cher client, votre compte a été suspendu. Vérifiez votre identité: http://verif-compte.example",
    "Срочно": "Подтвердите данные: ваш аккаунт будет заблокирован. http://bank-ru.example",
    "中奖通知": "恭喜您中奖了！请点击链接领取奖金 http://win.example",
    "Gewinn": "Herzlichen Glückwunsch! Sie haben gewonnen. Jetzt Gewinn abholen: http://gewinn-abholen.example",
}


@pytest.mark.parametrize("subject", ABROAD)
def test_other_languages(subject: str) -> None:
    judged = score(
        parse(letter("Info <info@x-service.example>", subject, ABROAD[subject], server=NAMELESS, results=""))
    )
    assert judged.probability > 0.5, said(judged)


OFFICE = {
    "a credit": "The bank agreed to a credit line of $25 million. Please keep this strictly confidential until Monday.",
    "a policy": "From March everybody may work from home two days a week. Talk to your manager.",
    "a reminder": "Your network password will expire in 5 days. Change it on any computer of the office. IT",
    "a warning": "Our policy: no bitcoin trading on company wallets.",
    "a degree": "I hold a master's degree in law from the university, and a life saving certificate.",
    "a pattern": "Sehr geehrte Damen und Herren, kostenlos testen Sie bitte unser Muster. Mit freundlichen Grüßen",
    "sums": "Dear Customer, attached is the invoice 88 over $300.00, $20.00 tax, $320.00 total.",
}


@pytest.mark.parametrize("name", OFFICE)
@pytest.mark.parametrize("way", ["vouched for", "looked at by nobody", "an export", "only text"])
def test_one_phrase_makes_no_advertisement(name: str, way: str) -> None:
    text, jane = OFFICE[name], "Jane Doe <jane@firm.example>"
    data = {
        "vouched for": letter(jane, name, text),
        "looked at by nobody": letter(
            jane, name, text, results="", server="a.host.example (a.host.example [198.51.100.3])"
        ),
        "an export": f"Message-ID: <1.JavaMail.x@y>\nDate: Mon, 14 May 2001 16:39:00 -0700\nFrom: {jane}\n"
        f"To: bo@firm.example\nSubject: Re: {name}\n\n{text}\n".encode(),
        "only text": f"Subject: Re: {name}\n\n{text}\n".encode(),
    }[way]
    judged = score(parse(data))
    assert judged.probability < 0.5, said(judged)


@pytest.mark.parametrize("name", UNWANTED)
def test_unwanted_mail_is_seen(name: str) -> None:
    judged = score(parse(UNWANTED[name]))
    assert judged.probability > 0.5, said(judged)


def said(judged: Score) -> str:
    return f"{judged.probability}: " + ", ".join(f"{each.name} {each.weight:+}" for each in judged.signs)
