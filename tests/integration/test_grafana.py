# SPDX-License-Identifier: Apache-2.0
"""The dashboards of deploy/grafana: every panel's SQL, with Grafana's variables and macros put in as its PostgreSQL data source does, asked by a reader of
one tenant. Grafana itself is not run."""
import datetime
import json
import re
import subprocess

import pytest
from harness import ROOT

FOLDER = ROOT / "deploy/grafana"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
INTERVAL_MS = 10_000
FIELDS = {"uid", "title", "schemaVersion", "version", "time", "panels", "templating", "annotations", "timezone", "refresh", "editable", "tags", "links", "id"}
PANEL_FIELDS = {"id", "type", "title", "gridPos", "datasource", "targets", "fieldConfig", "options"}
TARGET_FIELDS = {"refId", "datasource", "rawSql", "format", "rawQuery", "editorMode"}


def load(path):
    return json.loads(path.read_text())


def panels():
    return [pytest.param(path, panel, id=f"{path.stem}-{panel['id']}-{panel['title']}") for path in DASHBOARDS for panel in load(path)["panels"]]


def rfc3339(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def macro(name, args, span):
    """As evaluateMacro() of Grafana's data source; a macro that we do not use is unknown here."""
    begin, end = (f"'{rfc3339(ms)}'" for ms in span)
    return {"__timeFrom": begin, "__timeTo": end, "__timeFilter": f"{args} BETWEEN {begin} AND {end}"}[name]


def interpolate(sql, values, span):
    """First the dashboard's variables, then the interval, then the macros, whose arguments end at the first bracket."""
    for name, value in values.items():
        quoted = value.replace("'", "''")
        sql = sql.replace(f"${{{name}:sqlstring}}", f"'{quoted}'")
        sql = re.sub(rf"\$\{{{name}\}}|\${name}\b", lambda _, value=value: value, sql)
    sql = sql.replace("$__interval_ms", str(INTERVAL_MS)).replace("$__interval", f"{INTERVAL_MS // 1000}s")
    sql = re.sub(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)", lambda m: macro(m[1], m[2], span), sql)
    assert "$" not in sql, sql
    return sql


class Reader:
    def __init__(self, system, vehicle):
        self.system, self.vehicle = system, vehicle
        self.span = (vehicle.from_ms, vehicle.to_ms)

    def psql(self, sql, more=""):
        script = f"set session authorization {self.vehicle.tenant}_dashboards;\n{sql} {more};\n"
        done = subprocess.run(["psql", "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", self.system.fact("conninfo")], input=script, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, f"{sql}\n{done.stderr}"
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def variables(self, dashboard):
        """Each with its first value, the later ones by the values of those before."""
        values = {}
        for variable in dashboard["templating"]["list"]:
            rows = self.psql(interpolate(variable["query"], values, self.span))
            assert rows and all(len(row) == 1 for row in rows), variable["name"]
            values[variable["name"]] = rows[0][0]
        return values

    def ask(self, sql, values):
        """(names and types of the columns, rows)"""
        whole = interpolate(sql, values, self.span)
        return self.psql(whole, "\\gdesc\n--"), self.psql(whole)


@pytest.fixture(name="reader", scope="module")
def one_tenant(system, open_wire):
    subprocess.run(["psql", "-Xq", system.fact("conninfo"), "-v", f"role={open_wire.tenant}_dashboards", "-v", f"tenant={open_wire.tenant}", "-f",
                    FOLDER / "reader.sql"], check=True, capture_output=True, timeout=60)
    system.psql("insert into rollup (tenant, device, hour, made_at, samples, cell_min_mV, cell_max_mV, whole, minutes) values "  # the jobs make it an hour later
                f"('{open_wire.tenant}', '{open_wire.vehicle}', now(), now(), 30, 3600, 3700, '', '') on conflict do nothing")
    return Reader(system, open_wire)


def assert_time_series(columns, rows):
    assert columns[0][0] == "time" and columns[0][1].startswith("timestamp with time zone"), columns
    for name, kind in columns[1:]:
        assert kind == "text" if name == "metric" else kind in NUMBERS, columns
    values = [i for i, (name, _) in enumerate(columns) if i > 0 and name != "metric"]
    assert values and all(any(row[i] for row in rows) for i in values if columns[i][0] not in ("warning", "major")), "numbers, not only NULL"
    assert [row[0] for row in rows] == sorted(row[0] for row in rows), "sorted by time"


@pytest.mark.parametrize("path, panel", panels())
def test_every_panel_has_rows_for_a_vehicle_with_data(reader, path, panel):
    """[FL-5]"""
    values = reader.variables(load(path))
    for target in panel["targets"]:
        columns, rows = reader.ask(target["rawSql"], values)
        assert rows, "no rows"
        if target["format"] == "time_series":
            assert_time_series(columns, rows)
        shown = {column[0] for column in columns}
        named = {rule["matcher"]["options"] for rule in panel["fieldConfig"]["overrides"]}
        assert named <= shown, f"{named - shown}: no such column"


def test_the_panels_of_one_vehicle_show_every_cell_and_its_alarm(reader, open_wire):
    """[FL-5]"""
    dashboard = load(FOLDER / "dashboards/vehicle.json")
    values = reader.variables(dashboard)
    by_title = {panel["title"]: panel["targets"][0]["rawSql"] for panel in dashboard["panels"]}
    assert {row[1] for row in reader.ask(by_title["Every cell"], values)[1]} == {f"cell {n:03}" for n in range(1, 21)}
    assert "cell_tap_open" in {row[2] for row in reader.ask(by_title["Alarms"], values)[1]}
    note = reader.ask(dashboard["annotations"]["list"][0]["target"]["rawSql"], values)
    assert [name for name, _ in note[0]] == ["time", "timeend", "text", "tags"] and any("cell_tap_open" in row[2] for row in note[1])
    lowest, mean, highest = (float(v) for v in reader.ask(by_title["Cell $cell"], values)[1][0][1:])
    assert 1.5 < lowest <= mean <= highest < 5 and values["device"] == open_wire.vehicle


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_the_files_have_the_fields_of_grafanas_model(path):
    """[FL-5]"""
    dashboard = load(path)
    assert FIELDS <= set(dashboard) and dashboard["id"] is None and re.fullmatch(r"[\w-]{8,40}", dashboard["uid"])
    assert dashboard["schemaVersion"] >= 36 and {"from", "to"} <= set(dashboard["time"])
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    taken = set()
    for panel in dashboard["panels"]:
        assert PANEL_FIELDS <= set(panel) and set(panel["fieldConfig"]) == {"defaults", "overrides"}, panel["title"]
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, f"{panel['title']} lies on another"
        taken |= cells
        assert all(TARGET_FIELDS <= set(t) and t["format"] in ("table", "time_series") and t["rawQuery"] for t in panel["targets"])
        assert all(t["datasource"] == {"type": "postgres", "uid": "cellwarden"} for t in [panel, *panel["targets"]] if t is not panel)
    for variable in dashboard["templating"]["list"]:
        assert {"name", "type", "query", "datasource", "refresh", "label"} <= set(variable) and variable["type"] == "query"


def test_nothing_of_one_machine_is_in_the_provisioning():
    """Addresses, names and passwords come from the environment [FL-5]"""
    source = (FOLDER / "provisioning/datasources/cellwarden.yaml").read_text()
    said = dict(re.findall(r"^ +(url|user|password|database|sslmode|uid): (\S+)$", source, re.M))
    assert said.pop("uid") == "cellwarden" and len(said) == 5 and all(re.fullmatch(r"\$CELLWARDEN_SQL_[A-Z]+", value) for value in said.values()), said
    assert re.search(r"path: \$CELLWARDEN_DASHBOARDS$", (FOLDER / "provisioning/dashboards/cellwarden.yaml").read_text(), re.M)
