# SPDX-License-Identifier: Apache-2.0
"""The server's SQL, collected from its sources, and what a cluster of Citus asks of a statement. Read, not run: Citus is not part of Debian.

A vehicle's rows lie on one shard, by `device`. A statement is one of
  router    every table of vehicles is pinned to one device ($n or a literal): it runs on one shard
  fan-out   all tables of vehicles in it are joined by device: each shard does its part, by itself
  spread    it writes rows of many devices, from a table of the connection's own or from COPY
  other     it names no table of vehicles
and anything else cannot be carried out, or only with rows sent between machines. The words of the rules are those of Citus' own errors.
"""
import functools
import re
import subprocess

import sqlglot
from sqlglot import exp

from .instance import BUILD, PRESET, ROOT

KEY = "device"
SQL_WORD = re.compile(r"\s*(?:BEGIN\b|(?:INSERT|UPDATE|DELETE|SELECT|WITH|COPY|CREATE|ALTER|DROP|SET|TRUNCATE|DO|FROM) )")
LITERALS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
MUTABLE = (exp.CurrentTimestamp, exp.CurrentDate, exp.Rand, exp.Uuid)
MUTABLE_NAMES = {"now", "clock_timestamp", "statement_timestamp", "random", "gen_random_uuid", "timeofday", "nextval"}
VOLATILE_NAMES = MUTABLE_NAMES - {"now", "statement_timestamp"}


def sources():
    return sorted(p for p in (ROOT / "server").rglob("*.c") if not {"web", "pgext"} & set(p.parts))


@functools.cache
def statements():
    """[(file, SQL)] of every statement: the compiler's preprocessor puts macros in, neighbouring literals are one."""
    build, found = BUILD / PRESET, []
    for path in sources():
        words = ["cc", "-E", "-P", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-I", ROOT, "-I", build, "-I", build / "proto", "-isystem", "/usr/include/postgresql", path]
        text = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout
        for group in dict.fromkeys(LITERALS.findall(text)):
            sql = "".join(LITERAL.findall(group)).replace('\\"', '"').replace("\\n", " ")
            if SQL_WORD.match(sql):
                found.append((path.name, sql.strip()))
    return found


def plain(sql):
    """What the parser reads: the tail of a statement gets its head, what is put in later gets a name, and a prepared statement comes out of its quotes."""
    if inner := re.search(r"AS (WITH .*?)\$sql\$", sql, re.S):
        sql = inner[1]
    sql = re.sub(r"^FROM", "SELECT 1 FROM", sql)
    sql = re.sub(r"(?<=record_)%s|(?<=stage_)%s", "x", sql)
    return re.sub(r"%[.0-9]*[a-z]", "placeholder", sql)


def tables(folder=ROOT / "deploy/sql"):
    """name -> [columns of each primary key and unique constraint], from the migrations."""
    text = re.sub(r"--[^\n]*", "", "".join(path.read_text() for path in sorted(folder.glob("*.sql"))))
    found = {}
    for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", text, re.S):
        keys = re.findall(r"(?:PRIMARY KEY|UNIQUE) \(([^)]*)\)", body)
        found[name] = [[c.strip() for c in key.split(",")] for key in keys] + [[c] for c in re.findall(r"(\w+)\s+\w+\s[^,]*(?:PRIMARY KEY|UNIQUE)(?! \()", body)]
    for name, key in re.findall(r"CREATE UNIQUE INDEX \w+ ON (\w+) \(([^)]*)\)", text):
        found[name].append([c.strip() for c in key.split(",")])
    return found


class Judgement:
    """One statement against the rules. `kind` and `wrong` are the result."""

    def __init__(self, tree, vehicles, everywhere):
        self.vehicles, self.everywhere, self.wrong = vehicles, everywhere, []
        self.parent, self.pinned = {}, set()
        self.ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
        self.nodes = [t for t in tree.find_all(exp.Table) if t.name in vehicles and t.name not in self.ctes and not t.find_ancestor(exp.Create)]
        self.spread = any(self.into_many(insert) for insert in tree.find_all(exp.Insert)) or isinstance(tree, exp.Copy)
        for equality in tree.find_all(exp.EQ):
            self.take(equality)
        roots = {self.root(id(node)) for node in self.nodes}
        loose = roots - {self.root(p) for p in self.pinned}
        self.kind = "other" if not roots else "router" if not loose else "spread" if self.spread else "fan-out"
        if loose and len(roots) > 1:
            self.wrong.append("complex joins are only supported when all distributed tables are co-located and joined on their distribution columns")
        self.writes(tree)
        self.reads(tree)

    def root(self, node):
        while self.parent.get(node, node) != node:
            node = self.parent[node]
        return node

    def into_many(self, insert):
        """The device that an INSERT names pins its table; True when it writes what a table of the connection's own holds."""
        into, rows = insert.this.find(exp.Table), insert.expression
        if into.name not in self.vehicles:
            return False
        names = [c.name for c in insert.this.expressions] if isinstance(insert.this, exp.Schema) else ["tenant", KEY]
        place = names.index(KEY) if KEY in names else 0
        values = [row.expressions[place] for row in rows.expressions] if isinstance(rows, exp.Values) else [rows.expressions[place]]
        if all(isinstance(value, (exp.Parameter, exp.Literal)) for value in values):
            self.pinned.add(id(into))
            return False
        return True

    def take(self, equality):
        """An equality that must hold (not one branch of OR) pins a table or joins two."""
        above = equality.parent
        while isinstance(above, (exp.And, exp.Paren)):
            above = above.parent
        if not isinstance(above, (exp.Where, exp.Join)):
            return
        sides = [self.of(side) if isinstance(side, exp.Column) and side.name == KEY else None for side in (equality.left, equality.right)]
        if None not in sides:
            self.parent[self.root(sides[0])] = self.root(sides[1])
        for side, other in zip(sides, (equality.right, equality.left)):
            if side is not None and isinstance(other, (exp.Parameter, exp.Literal, exp.Placeholder)):
                self.pinned.add(side)

    def of(self, column):
        """The table of vehicles whose device this column is; out of derived tables and into the queries around."""
        query = column
        while query := query.find_ancestor(exp.Select, exp.Update, exp.Delete):
            for source in self.from_of(query):
                if column.table in ("", source.alias_or_name):
                    if found := self.inside(source):
                        return found
        return None

    def inside(self, source):
        if isinstance(source, exp.Table):
            return id(source) if any(source is node for node in self.nodes) else None
        inner = source.this.this if isinstance(source, exp.Lateral) else source.this
        if isinstance(inner, exp.Select):
            for nested in self.from_of(inner):
                if found := self.inside(nested):
                    return found
        return None

    @staticmethod
    def from_of(query):
        found = [query.this] if isinstance(query, (exp.Update, exp.Delete)) and isinstance(query.this, exp.Table) else []
        if begin := query.args.get("from_") or query.args.get("from"):
            found.append(begin.this)
        found += [join.this for join in query.args.get("joins") or []] + list(query.args.get("laterals") or [])
        return found + list(query.args.get("using") or [])

    def calls(self, tree, names):
        return any(isinstance(n, MUTABLE) and "now" in names for n in tree.walk()) or any(n.name.lower() in names for n in tree.find_all(exp.Anonymous))

    def writes(self, tree):
        for insert in tree.find_all(exp.Insert):
            into = insert.this.find(exp.Table).name
            columns = {c.name for c in insert.this.expressions} if isinstance(insert.this, exp.Schema) else set()
            if into in self.vehicles and columns and KEY not in columns:
                self.wrong.append("cannot perform an INSERT without a partition column value")
            conflict = insert.args.get("conflict")
            if into not in self.vehicles | self.everywhere or conflict is None:
                continue
            names = {c.name for c in conflict.args.get("conflict_keys") or []}
            if into in self.vehicles and names and KEY not in names:
                self.wrong.append("the key of ON CONFLICT lacks the distribution column")
            for change in conflict.expressions:
                if change.this.name in (KEY, "tenant"):
                    self.wrong.append("modifying the partition value of rows is not allowed")
                if self.calls(change.expression, MUTABLE_NAMES):
                    self.wrong.append("functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE")
        for change in tree.find_all(exp.Update, exp.Delete):
            if change.this and change.this.name in self.vehicles | self.everywhere and self.calls(change, VOLATILE_NAMES):
                self.wrong.append("functions used in UPDATE queries on distributed tables must not be VOLATILE")
            if isinstance(change, exp.Update) and change.this.name in self.vehicles and any(e.this.name in (KEY, "tenant") for e in change.expressions):
                self.wrong.append("modifying the partition value of rows is not allowed")

    def reads(self, tree):
        if self.kind != "fan-out":
            return
        if any(having.find(exp.Select) for having in tree.find_all(exp.Having)):
            self.wrong.append("Subqueries in HAVING cannot refer to outer query")
        if any(True for _ in tree.find_all(exp.Lock)):
            self.wrong.append("could not run distributed query with FOR UPDATE/SHARE commands")
        if any(s.args.get("kind") or s.find(exp.GroupingSets, exp.Cube, exp.Rollup) for s in tree.find_all(exp.Select)):
            self.wrong.append("could not run distributed query with GROUPING SETS, CUBE, or ROLLUP")
        for window in tree.find_all(exp.Window):
            inner = window.find_ancestor(exp.Select)
            if any(self.inside(s) for s in self.from_of(inner)) and KEY not in {c.name for c in window.args.get("partition_by") or []}:
                self.wrong.append("a window over all shards is not divided by the distribution column")


def judge(sql, vehicles, everywhere):
    """The judgements of the statements in one text, or None where it is not for the parser (commands of the schema, a part that is put in later)."""
    trees = sqlglot.parse(plain(sql), read="postgres", error_level=sqlglot.ErrorLevel.RAISE)
    if any(isinstance(tree, exp.Command) for tree in trees):
        return None
    return [Judgement(tree, vehicles, everywhere) for tree in trees if tree is not None]
