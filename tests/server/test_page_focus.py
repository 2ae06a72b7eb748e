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

    page.route("**/v1/restore", lambda route: route.abort())
    page.focus("#stage")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:not([hidden])")
    page.focus("#error-close")
    page.keyboard.press("Enter")
    assert page.is_hidden("#error")
    assert focused(page) == "stage"
