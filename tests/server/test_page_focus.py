"""Where the keyboard is after each step: never back at the beginning of the page."""

from browser import MARKS, focused, hold, soon, stage_of

pytestmark = MARKS


def test_the_keyboard_is_not_lost(open_page, photo):
    page = open_page()
    with page.expect_file_chooser() as chooser:
        page.focus("#pick")
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    stage_of(page, "found")
    assert focused(page) == "stage"

    page.keyboard.press("Space")
    page.focus("#undo")
    page.keyboard.press("Enter")
    assert page.get_attribute("#undo", "aria-disabled") == "true"
    assert focused(page) == "undo"
    page.keyboard.press("Enter")  # which does nothing now
    assert page.get_attribute("#redo", "aria-disabled") == "false"
    page.focus("#redo")
    page.keyboard.press("Enter")
    assert focused(page) == "redo"
    page.focus("#found")
    page.keyboard.press("Enter")
    assert page.is_hidden("#found")
    assert focused(page) == "brush"

    held = hold(page, "**/v1/restore")
    page.focus("#restore")
    page.keyboard.press("Enter")
    assert focused(page) == "restore"
    page.keyboard.press("Enter")  # which does not begin once more
    assert soon(page, lambda: held)
    held[0].continue_()
    stage_of(page, "restored")
    assert focused(page) == "tab-result"
    assert len(held) == 1

    page.focus("#stage")
    page.keyboard.press("Enter")  # what is done is not done again
    page.wait_for_timeout(100)
    assert len(held) == 1
    page.route("**/v1/restore", lambda route: route.abort())
    page.click("#tab-mask")
    page.focus("#stage")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:not([hidden])")
    page.focus("#error-close")
    page.keyboard.press("Enter")
    assert page.is_hidden("#error")
    assert focused(page) == "stage"


def pressed(page, key: str, **more) -> tuple[str, bool]:
    """The brush's size, and whether it erases, after a key where the keyboard is."""
    page.evaluate(
        """([key, more]) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }))""",
        [key, more],
    )
    erases = page.get_attribute("#eraser", "aria-pressed") == "true"
    return page.input_value("#size"), erases


def test_letters_are_for_the_photo_and_its_tools(open_page, photo):
    """Whoever speaks to the page would else change tools with a word said to a button elsewhere."""
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    for name in ("theme", "help", "add"):
        page.focus(f"#{name}")
        assert pressed(page, "e") == pressed(page, "]") == ("45", False), name
    page.evaluate("document.activeElement.blur()")
    assert pressed(page, "e") == ("45", True)
    for name in ("stage", "zoom-in", "tab-mask", "size"):
        page.focus(f"#{name}")
        assert pressed(page, "b") == ("45", False), name
        assert pressed(page, "]") == ("51", False), name
        assert pressed(page, "[") == ("45", False), name
        assert pressed(page, "e") == ("45", True), name


def test_brackets_may_need_another_key(open_page, photo):
    page = open_page()
    page.set_input_files("#file", photo)
    stage_of(page, "found")
    page.focus("#stage")
    assert pressed(page, "]", modifierAltGraph=True)[0] == "51"
    # Windows says so of AltGr, and a Mac of Option.
    windows = {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}
    assert pressed(page, "]", **windows)[0] == "57"
    assert pressed(page, "]", altKey=True)[0] == "63"
    # What is the browser's own stays so.
    assert pressed(page, "]", ctrlKey=True)[0] == "63"
    assert pressed(page, "]", metaKey=True)[0] == "63"
