"""Pages in a real browser: seen, read aloud, walked by keyboard, and watched while money moves."""

import json
import re

import pytest
from playwright.sync_api import expect

from ledger.kernel.money import yuan
from tests.api.pages.test_live import back, feed, order, replayed
from tests.browsers import ARTEFACTS, WIDTHS, browser_here, faults, forbidden_by, window
from tests.office import Office
from tests.processes import leifeng
from tests.server import serving

LANGUAGES = ("zh", "en")

SEEN = """
window.seen = [];
addEventListener("DOMContentLoaded", () => {
  const total = document.getElementById("total");
  if (!total) return;
  const look = () => {
    const fen = (place) => Number(place.querySelector("data").value);
    const [gross, refunds] = total.querySelectorAll("dd");
    const event = total.querySelector(".as-of a").pathname.split("/").pop();
    window.seen.push([Number(event), fen(gross), fen(refunds), fen(total.querySelector(".net"))]);
  };
  look();
  new MutationObserver(look).observe(total, {childList: true});
});
"""
"""Notes what the wall shows, each time that it shows something new."""


@pytest.fixture(scope="module")
def browser():
    with browser_here() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The demo, served."""
    data = tmp_path_factory.mktemp("demo") / "data"
    made = leifeng("demo", "--data", data, "--no-serve")
    assert made.returncode == 0, made.stderr
    with serving(data) as served:
        yield served


@pytest.fixture(scope="module")
def url(server):
    return server.url


@pytest.fixture(scope="module")
def story(server):
    """The sale of the demo, and a line of the statement of its fund."""
    return server.public.read("/v1/sales")["items"][0]["id"]


@pytest.fixture(scope="module")
def paths(story):
    return {
        "front": "/",
        "funds": "/funds",
        "fund": "/funds/F-HEAR",
        "statement": "/funds/F-HEAR?from=2026-04-01&to=2026-05-31",
        "line": "/funds/F-HEAR/lines?on=2026-03-20&kind=donation.payment-received",
        "event": "/events/1186",
        "sales": "/sales",
        "sale": f"/sales/{story}",
        "wall": f"/sales/{story}/wall",
        "method": "/method",
        "log": "/log",
        "verify": "/verify",
        "refusal": "/funds/F-NONE",
    }


PAGES = (
    *("front", "funds", "fund", "statement", "line", "event"),
    *("sales", "sale", "wall", "method", "log", "verify", "refusal"),
)


def with_language(path, language):
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_and_is_kept_to_be_looked_at(browser, url, paths, language, width):
    ARTEFACTS.mkdir(exist_ok=True)
    with window(browser, url, width) as page:
        for name in PAGES:
            page.goto(with_language(paths[name], language))
            page.wait_for_load_state("load")
            if page.locator("#flows-data").count():
                expect(page.locator("#flows canvas")).to_be_visible()
            page.screenshot(path=ARTEFACTS / f"{name}-{language}-{width}.png", full_page=True)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert forbidden_by(page) == [], name


@pytest.mark.parametrize(
    "look",
    [
        ("zh", "light", 1280),
        pytest.param(("en", "light", 360), marks=pytest.mark.slow),
        pytest.param(("zh", "dark", 360), marks=pytest.mark.slow),
    ],
)
def test_nothing_on_any_page_keeps_anybody_out(browser, url, paths, look):
    language, scheme, width = look
    with window(browser, url, width, color_scheme=scheme) as page:
        for name in PAGES:
            page.goto(with_language(paths[name], language))

            assert faults(page) == [], name
            assert forbidden_by(page) == [], name


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("爱心测听室", "捐赠到账", "会计分录")),
        pytest.param(
            "en",
            ("爱心测听室", "Gifts that arrived", "The entry in the books"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_figure_leads_to_the_events_that_make_it(browser, url, language, words):
    fund, line, entry = words
    with window(browser, url) as page:
        page.goto(f"/?lang={language}")
        page.get_by_role("link", name=fund).click()
        page.get_by_role("link", name=line).first.click()
        page.get_by_role("cell").get_by_role("link").first.click()

        expect(page.get_by_role("heading", name=entry)).to_be_visible()
        expect(page).to_have_url(re.compile(r"/events/\d+$"))


@pytest.mark.slow
def test_a_period_is_chosen_by_a_form_and_kept_in_the_address(browser, url):
    with window(browser, url) as page:
        page.goto("/funds/F-HEAR?lang=en")
        page.get_by_label("From day").fill("2026-04-01")
        page.get_by_label("To day").fill("2026-05-31")
        page.get_by_role("button", name="Show").click()

        expect(page).to_have_url(re.compile("from=2026-04-01&to=2026-05-31"))
        expect(page.get_by_role("row", name="Opening")).to_contain_text("214,720.89")
        expect(page.get_by_role("row", name="Closing")).to_contain_text("36,520.89")


@pytest.mark.slow
def test_a_page_is_walked_by_keyboard_alone(browser, url):
    with window(browser, url) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        skip = page.locator(".skip")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        links = page.locator("a:visible").count()
        walked = [skip.inner_text()]
        for _ in range(links - 1):
            page.keyboard.press("Tab")
            walked.append(page.evaluate("document.activeElement.innerText"))
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(outline) == "solid"
        assert walked == page.locator("a:visible").all_inner_texts()

        page.locator("header nav .toggle a").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="中文")).to_be_visible()
        page.wait_for_load_state("load")
        page.keyboard.press("Tab")
        expect(skip).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#content$"))


@pytest.mark.slow
def test_without_javascript_all_is_there_but_the_moving_total(browser, url, paths):
    with browser.new_context(base_url=url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(paths["fund"])
        expect(page.locator("#flows")).to_be_hidden()
        expect(page.get_by_role("row", name="测听室设备首款60%")).to_contain_text("118,800.00")
        page.goto(paths["sale"])
        expect(page.locator(".hero strong")).to_have_text("197,672.00")
        assert "未启用 JavaScript" in page.content()


@pytest.mark.slow
def test_a_picture_has_the_table_beside_it(browser, url, paths):
    with window(browser, url) as page:
        page.goto(paths["fund"])
        chart = page.locator("#flows canvas")
        expect(chart).to_be_visible()
        drawn = page.evaluate("""() => {
          const canvas = document.querySelector("#flows canvas");
          const {width, height} = canvas;
          const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          return pixels.some((each) => each);
        }""")
        flows = json.loads(page.locator("#flows-data").inner_text())

        assert drawn
        rows = page.locator("figure tbody tr")
        assert rows.count() == len(flows)
        for flow in flows:
            told = rows.filter(has_text=flow["from"]).filter(has_text=flow["to"])
            expect(told.filter(has_text=flow["yuan"])).to_have_count(1)


@pytest.mark.slow
def test_a_page_has_no_script_from_elsewhere(browser, url, paths):
    asked = []
    with window(browser, url) as page:
        page.on("request", lambda request: asked.append(request.url))
        for name in PAGES[:-1]:
            page.goto(paths[name])

    assert asked
    assert [each for each in asked if not each.startswith(url)] == []


@pytest.mark.slow
def test_the_first_page_is_light(browser, url):
    sizes = []
    with window(browser, url) as page:
        page.on("requestfinished", lambda each: sizes.append(sum(sent_for(each))))
        page.goto("/")
        page.wait_for_load_state("networkidle")

    assert len(sizes) >= 3
    assert sum(sizes) < 100_000


def sent_for(request):
    sizes = request.sizes()
    return sizes["responseBodySize"], sizes["responseHeadersSize"]


# While money moves.


@pytest.mark.slow
def test_two_walls_show_what_replay_says_at_every_moment(browser, server):
    office = Office(server)
    sale = office.open_sale(office.fund("F-WALL"))
    with window(browser, server.url) as first, window(browser, server.url, 360) as second:
        walls = (first, second)
        for wall in walls:
            wall.add_init_script(SEEN)
            wall.goto(f"/sales/{sale}/wall?lang=en")
        sold = []
        for turn in range(12):
            sold += [order(), order("L4", 2)]
            feed(office, sale, "orders", *sold[-2:])
            if turn % 3 == 2:
                feed(office, sale, "returns", back(sold.pop(0)))
            if turn % 4 == 3:
                for wall in walls:
                    _wait_for(wall, _newest(office))
        for wall in walls:
            _wait_for(wall, _newest(office))
            expect(wall.locator(".returned")).to_contain_text("yuan came back")
        seen = [wall.evaluate("window.seen") for wall in walls]
        shown = [wall.locator(".net strong").inner_text() for wall in walls]
        first.screenshot(path=ARTEFACTS / "wall-live.png")

    for each in seen:
        assert len(each) >= 4
        for position, gross, refunds, net in each:
            wanted = replayed(office, sale, position)
            assert (gross, refunds, net) == tuple(wanted.values())
    net = server.public.read(f"/v1/sales/{sale}")["net_sales"]
    assert shown == [yuan(net)] * 2


def _newest(office):
    """Return where the newest order or return stands; who was let in meanwhile comes after it."""
    kinds = ("sale-order.placed.1", "sale-order.goods-returned.1")
    events = [each for kind in kinds for each in office.an.all("/v1/events", type=kind)]
    return max(each["position"] for each in events)


def _wait_for(wall, position):
    wall.wait_for_function("(position) => window.seen.at(-1)[0] >= position", arg=position)


@pytest.mark.slow
def test_a_wall_listens_however_late_its_scripts_come(browser, server):
    office = Office(server)
    sale = office.open_sale(office.fund("F-LATE"))
    with window(browser, server.url) as wall:

        def held(route):
            wall.wait_for_function("() => window.htmx && new Promise((later) => setTimeout(later))")
            route.continue_()

        wall.route("**/hx-sse.min.js", held)
        wall.add_init_script(SEEN)
        wall.goto(f"/sales/{sale}/wall")

        _wait_for(wall, feed(office, sale, "orders", order()))


def test_a_wall_comes_back_by_itself_after_the_network_was_away(browser, server):
    office = Office(server)
    sale = office.open_sale(office.fund("F-BACK"))
    with browser.new_context(base_url=server.url) as context:
        wall = context.new_page()
        wall.add_init_script(SEEN)
        wall.goto(f"/sales/{sale}/wall")
        _wait_for(wall, feed(office, sale, "orders", order()))
        context.set_offline(True)
        feed(office, sale, "orders", order())
        context.set_offline(False)
        _wait_for(wall, _newest(office))

        expect(wall.locator(".net strong")).to_have_text("336.00")
