"""The site in a browser: it is found by its search, and its links lead on. Needs `make docs`, and Chromium with its driver."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

import codecs_core as cc
from codecs_core.report.page import page

SITE = Path(__file__).parents[2] / "build/site"
pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").exists() or not shutil.which("chromedriver"),
    reason="needs `make docs`, and Debian's chromium and chromium-driver",
)
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
]


@pytest.fixture(scope="module")
def address():
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for option in [*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(option)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.implicitly_wait(10)
    yield driver
    driver.quit()


def test_the_tutorial_is_a_click_away(browser, address):
    browser.get(address)
    assert browser.title == "codecs-core"
    browser.find_element("partial link text", "First file").click()
    assert "/docs/tutorial/" in browser.current_url
    assert browser.find_element("css selector", "h1").text.startswith("First file")


def test_search_finds_a_codec(browser, address):
    browser.get(address)
    browser.find_element("css selector", "input.md-search__input").send_keys("idf.image")
    found = browser.find_element("css selector", ".md-search-result__item a")
    assert "idf" in found.get_attribute("href")
    found.click()
    assert "idf" in browser.current_url


@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_the_window(browser, address, width):
    browser.set_window_size(width, 900)
    for place in ("", "docs/tutorial/", "docs/benchmarks/", "docs/reference/python/package/"):
        browser.get(f"{address}/{place}")
        wide = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{place} is {wide} pixels too wide"
    browser.set_window_size(1280, 1000)


def test_the_reference_has_the_public_names(browser, address):
    browser.get(f"{address}/docs/reference/python/package/")
    text = browser.find_element("css selector", "article").text
    for name in ("save", "load", "ArraySpec", "Limits"):
        assert name in text


def test_a_page_of_a_container_runs_nothing(browser, tmp_path):
    name = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    cc.save(tmp_path / "x.ccf", {name: np.full((9, 9), 7, "u1")}, codec="classic.raw")
    with cc.open(tmp_path / "x.ccf") as file:
        (tmp_path / "x.html").write_text(page(file), "utf-8")
    browser.get((tmp_path / "x.html").as_uri())
    assert browser.title == str(tmp_path / "x.ccf")
    assert browser.find_element("css selector", "figcaption").text == name
    width = "return document.querySelector('figure img').naturalWidth"
    assert browser.execute_script(width) == 9
