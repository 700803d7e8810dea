"""The admin page: progress, live agreement, pause, export, behind a password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ..tables.write import as_csv
from .access import ADMIN_HOURS, SECRET, Ended, admin_cookie, form_token, is_admin, new_cookie, right_password
from .progress import columns, progress
from .requests import House, address, form_fields, in_thread
from .store import Study

ADMIN = "giqa_admin"


def check_admin(house: House, request: Request) -> str:
    """The admin's cookie, or a 401 that leads to the login."""
    cookie, password = request.cookies.get(ADMIN, ""), house.store.secret(SECRET)
    if password is None or not is_admin(cookie, house.key, password) or Ended(house.store).has(cookie):
        raise HTTPException(401, "Log in at /admin first.")
    return cookie


def check_form(house: House, request: Request, body: bytes) -> None:
    token = form_fields(body).get("csrf", "")
    house.check_form(request.cookies.get(ADMIN), token, "This form is too old; open /admin again.")


def study_named(house: House, request: Request) -> Study:
    for study in house.store.studies():
        if str(study.id) == request.path_params["study"]:
            return study
    raise HTTPException(404)


@in_thread
def overview(house: House, request: Request, _: bytes) -> Response:
    try:
        cookie = check_admin(house, request)
    except HTTPException:
        return _login_page(house, request)
    studies = [(study, now, texts(now)) for study in house.store.studies() for now in [progress(house.store, study)]]
    base = str(request.base_url).rstrip("/")
    return house.page("admin.html", studies=studies, base=base, csrf=form_token(house.key, cookie))


def texts(now: Mapping[str, Any]) -> dict[str, str]:
    """The numbers of a study as the admin page shows them: the answer first, shares in percent, a dash for none.

    Parameters
    ----------
    now : mapping
        From `giqa.study.progress.progress`.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> now = {"done": 0.255, "votes": 6, "votes_wanted": 20, "raters": 2, "finished": 1, "failed_gate": 0}
    >>> now |= {"without_controls": 0, "items": 10, "items_with_all_votes": 2, "paused": False, "agreement": None}
    >>> now |= {"more_raters": 7, "what": "pairs"}
    >>> now |= {"control_accuracy": 0.9, "control_interval": [0.6, 0.98], "error_rate": None, "error_interval": None}
    >>> shown = texts(now)
    >>> shown["answer"]
    '26 % done: 2 of 10 pairs have all their votes. About 7 more raters who pass are needed.'
    >>> shown["control_accuracy"], shown["agreement"], shown["items"]
    ('90 % [60, 98]', '–', '2 of 10')
    >>> texts(now | {"failed_gate": 1})["answer"][-57:]
    ' 1 of 2 raters failed the gate: their votes do not count.'
    """
    shown = {name: str(now[name]) for name in ("failed_gate", "without_controls", "votes")}
    shown |= {name: _shown(name, now) for name in ("control_accuracy", "agreement", "error_rate")}
    for question, numbers in now.get("questions", {}).items():
        shown |= {f"{question}.{name}": _shown(name, numbers) for name in numbers}
    shown["raters"] = f"{now['finished']} of {now['raters']}"
    shown["items"] = f"{now['items_with_all_votes']} of {now['items']}"
    state = "Done" if now["items"] and now["items_with_all_votes"] == now["items"] else f"{_percent(now['done'])} done"
    failed = now["failed_gate"]
    of = ("the gate of a question", " on it") if "questions" in now else ("the gate", "")
    gate = f" {failed} of {now['raters']} raters failed {of[0]}: their votes{of[1]} do not count." if failed else ""
    paused = " The study is paused." if now["paused"] else ""
    raters = now["more_raters"]
    who = "rater who passes is" if raters == 1 else "raters who pass are"
    more = f" About {raters:,} more {who} needed." if raters else ""
    return shown | {"answer": f"{state}: {shown['items']} {now['what']} have all their votes.{more}{gate}{paused}"}


def _shown(name: str, numbers: Mapping[str, Any]) -> str:
    """A number as it is shown, a share with its interval where it has one."""
    if name not in ("control_accuracy", "agreement", "error_rate"):
        return str(numbers[name])
    ends = numbers.get({"control_accuracy": "control_interval", "error_rate": "error_interval"}.get(name))
    return _percent(numbers[name]) + (f" [{100 * ends[0]:.0f}, {100 * ends[1]:.0f}]" if ends else "")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _login_page(house: House, request: Request, wrong: bool = False) -> Response:
    cookie = request.cookies.get(ADMIN, "") or new_cookie()
    response = house.page("login.html", 403 if wrong else 200, csrf=form_token(house.key, cookie), wrong=wrong)
    house.set_cookie(response, ADMIN, cookie, "/admin")
    return response


@partial(in_thread, lane="guess")
def login(house: House, request: Request, body: bytes) -> Response:
    house.allow("login", address(request))
    check_form(house, request, body)
    kept, given = house.store.secret(SECRET), form_fields(body).get("password", "")
    if kept is None or len(given) > 1000 or not right_password(given, kept):
        return _login_page(house, request, wrong=True)
    response = RedirectResponse("/admin", 303)
    house.set_cookie(response, ADMIN, admin_cookie(house.key, kept), "/admin", hours=ADMIN_HOURS)
    return response


@in_thread
def logout(house: House, request: Request, body: bytes) -> Response:
    cookie = check_admin(house, request)
    check_form(house, request, body)
    Ended(house.store).add(cookie)  # here too, and not only in this browser
    response = RedirectResponse("/admin", 303)
    response.delete_cookie(ADMIN, path="/admin", httponly=True, samesite="strict", secure=house.https)
    return response


@in_thread
def live(house: House, request: Request, _: bytes) -> Response:
    check_admin(house, request)
    now = progress(house.store, study_named(house, request))
    return JSONResponse(now | {"texts": texts(now)})


@in_thread
def pause(house: House, request: Request, body: bytes) -> Response:
    check_admin(house, request)
    check_form(house, request, body)
    study = study_named(house, request)
    house.store.pause(study, form_fields(body).get("paused") == "yes")
    return RedirectResponse("/admin", 303)


@in_thread
def export(house: House, request: Request, _: bytes) -> Response:
    check_admin(house, request)
    study = study_named(house, request)
    text = as_csv(columns(house.store, study, request.query_params.get("everything") == "yes"))
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", study.name) or "study"
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


ROUTES = [
    Route("/admin", overview),
    Route("/admin/login", login, methods=["POST"]),
    Route("/admin/logout", logout, methods=["POST"]),
    Route("/admin/{study}/progress", live),
    Route("/admin/{study}/pause", pause, methods=["POST"]),
    Route("/admin/{study}/export", export),
]
