"""Uses the status page of a sandbox in a real browser, as a person does.

In the environment: what the sandbox prints when it starts, and optionally SCREENSHOTS, a folder that is there.
"""

import base64
import os
import re
import shutil

import requests
from playwright.sync_api import expect, sync_playwright
from upvest_investment_api import UpvestRequestsAuth

BASE = os.environ["UPVEST_ENVIRONMENT"]
HOSTILE = "<img src=x onerror=document.title='run'>"
WIDTHS = [1280, 390]
SCHEMES = ["light", "dark"]
# WCAG 2, level AA, for text of this size.
CONTRAST = 4.5

# The contrast of an element's text against what lies behind it.
CONTRAST_OF = """element => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const luminance = colours => {
    canvas.fillStyle = dark ? "#121212" : "#fff";
    canvas.fillRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(it => it / 255)
      .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = [];
  for (let it = element; it; it = it.parentElement) behind.unshift(getComputedStyle(it).backgroundColor);
  const [one, other] = [luminance(behind), luminance([...behind, getComputedStyle(element).color])].sort();
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""


def ask(name, **fields):
    response = requests.post(f"{BASE}/_sandbox/{name}", json=fields, timeout=10)
    assert response.ok, response.text
    return response.json()


def auth():
    return UpvestRequestsAuth(
        private_key_pem=os.environ["UPVEST_SIGNING_KEY"].encode(),
        private_key_passphrase=None,
        key_id=os.environ["UPVEST_SIGNING_KEY_ID"],
        client_id=os.environ["UPVEST_CLIENT_ID"],
        client_secret=os.environ["UPVEST_CLIENT_SECRET"],
        scopes=["users:read", "instruments:read"],
    )


def wrongly_signed():
    """A request that goes elsewhere than it was signed for, with the base that the client built."""
    signed = requests.Request("GET", f"{BASE}/users", auth=auth()).prepare()
    signed.url = f"{BASE}/instruments"
    base = '"@method": GET\n"@path": /users\n'
    signed.headers["upvest-sandbox-signature-base"] = base64.b64encode(base.encode()).decode()
    response = requests.Session().send(signed, timeout=10)
    assert response.status_code == 401, response.text


def news(page):
    """What the page asks for every two seconds, now."""
    page.evaluate("refresh()")


def section(page, name):
    return page.locator(f"#{name}")


def the_clock_is_turned(page):
    page.locator("form[data-command=advance] input").fill("3600")
    before = requests.get(f"{BASE}/_sandbox/state", timeout=10).json()["now"]
    page.get_by_role("button", name="Advance").click()
    expect(page.locator("#said")).to_contain_text("advance")
    after = requests.get(f"{BASE}/_sandbox/state", timeout=10).json()["now"]
    assert before < after
    expect(page.locator("#now")).to_have_text(re.compile(re.escape(after[:10])))


def faults_are_set_and_cleared(page):
    form = page.locator("#fault")
    form.locator("[name=operation]").fill("listInstruments")
    form.locator("[name=times]").fill("3")
    form.locator("[name=fault]").select_option("503 problem")
    form.get_by_role("button", name="Add").click()
    expect(section(page, "faults")).to_contain_text("503 problem")
    hit = requests.get(f"{BASE}/instruments", auth=auth(), timeout=10)
    assert hit.status_code == 503, hit.status_code
    news(page)
    expect(section(page, "requests")).to_contain_text("503")
    form.locator("[name=fault]").select_option("read that is 5 s old")
    form.get_by_role("button", name="Add").click()
    expect(section(page, "faults")).to_contain_text("read that is 5 s old")
    ask("disturb_deliveries", reversed=True)
    news(page)
    expect(section(page, "faults")).to_contain_text("reversed")
    page.get_by_role("button", name="Clear all faults").click()
    expect(section(page, "faults")).not_to_contain_text("503 problem")
    expect(section(page, "faults")).not_to_contain_text("reversed")
    assert requests.get(f"{BASE}/instruments", auth=auth(), timeout=10).status_code == 200
    form.locator("[name=operation]").fill("makeTea")
    form.get_by_role("button", name="Add").click()
    expect(page.locator("#said")).to_contain_text("makeTea")
    expect(page.locator("#said")).to_have_class("bad")


def the_log_says_why(page):
    page.locator("form[data-command=trigger] input").fill("ORDER.REJECTED")
    page.locator("form[data-command=trigger] button").click()
    rejected = section(page, "events").locator("tr", has_text="ORDER.REJECTED").first
    expect(rejected).to_contain_text("are needed")
    # An id opens what has it: its state, its events and the requests about it.
    order = rejected.get_by_role("button").first.inner_text()
    rejected.get_by_role("button").first.click()
    thing = section(page, "thing")
    expect(thing).to_contain_text('"status": "REJECTED"')
    expect(thing).to_contain_text("ORDER.NEW")
    expect(thing.get_by_role("heading")).to_have_text(order)
    thing.get_by_role("button", name="Close").click()
    expect(thing).to_be_hidden()
    # A number opens the list of what it counts.
    section(page, "state").locator("button", has_text="orders").first.click()
    expect(thing).to_contain_text(order)


def boxes_open_by_keyboard(page):
    ask("subscribe", url="http://127.0.0.1:9/by-keyboard")
    news(page)
    thing = section(page, "thing")
    for name, content in [("instruments", "IE00B3XXRP09"), ("webhooks", "by-keyboard")]:
        # The page replaces its boxes every two seconds.
        box = section(page, "state").locator("button", has_text=name).first
        box.press("Enter")
        expect(thing).to_contain_text(content)
        thing.get_by_role("button", name="Close").press("Enter")
        expect(thing).to_be_hidden()


def signatures_are_explained(page):
    wrongly_signed()
    news(page)
    rejected = section(page, "requests").locator("tr", has_text="server built").first
    expect(rejected).to_contain_text('"@path": /instruments')
    expect(rejected).to_contain_text("That of the client differs from line 2 on")
    expect(rejected).to_contain_text('"@path": /users')
    assert "Bearer" not in rejected.inner_text()


def commands_have_forms(page):
    row = page.locator("#commands tr", has=page.get_by_text("create_report", exact=False)).first
    row.locator("input[name=type]").fill("TAX")
    row.get_by_role("button", name="Run").click()
    expect(page.locator("#said")).to_contain_text("create_report")
    expect(section(page, "events")).to_contain_text("REPORT.PENDING")


def what_comes_from_outside_stays_text(page):
    requests.get(f"{BASE}/users/{HOSTILE}", timeout=10)
    # By itself, within two seconds.
    expect(section(page, "requests")).to_contain_text("onerror")
    ask("subscribe", url=f"http://127.0.0.1:9/{HOSTILE}")
    assert page.title() == "Upvest sandbox" and page.locator("td img").count() == 0


def it_can_be_read(page, width, scheme):
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"scrolls sideways at {width}"
    for place in ["body", ".soft", "td.bad", "td", "label", "#state b"]:
        contrast = page.locator(place).first.evaluate(CONTRAST_OF)
        assert contrast >= CONTRAST, f"{place} in {scheme}: {contrast:.1f}"
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=f"{os.environ['SCREENSHOTS']}/{width}-{scheme}.png", full_page=True)


def main():
    with sync_playwright() as browsers:
        # As root, Chromium has no sandbox of its own; it sees nothing but this machine.
        browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in WIDTHS:
            for scheme in SCHEMES:
                ask("reset")
                view = {"width": width, "height": 900}
                page = browser.new_page(viewport=view, color_scheme=scheme)
                complaints = []
                page.on("pageerror", lambda error: complaints.append(str(error)))
                page.goto(BASE)
                for check in [the_clock_is_turned, faults_are_set_and_cleared, the_log_says_why, boxes_open_by_keyboard,
                              signatures_are_explained, commands_have_forms, what_comes_from_outside_stays_text]:
                    check(page)
                it_can_be_read(page, width, scheme)
                assert not complaints, complaints
                page.close()
                print(f"the status page at {width} pixels, {scheme}: all is well")
        browser.close()


main()
