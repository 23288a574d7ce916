/**
 * The shipped alerts and the dashboard ask for figures that there are, and leave no condition out.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { NOTHING_YET } from "../../packaging/words/tables.ts";
import { PROBLEMS } from "../../src/model/problem.ts";
import { CONDITIONS } from "../../src/report/conditions.ts";
import { createMetrics } from "../../src/report/metrics.ts";

const PACKAGING = new URL("../../packaging/", import.meta.url).pathname;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const rulesText = readFileSync(`${PACKAGING}prometheus/rollcall.rules.yaml`, "utf8");
const { groups } = parse(rulesText) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(readFileSync(`${PACKAGING}grafana/rollcall.json`, "utf8")) as Dashboard;
const queries = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.map(({ query }) => query),
];

/** Every series by name and label names, as Prometheus stores them; a histogram is three. */
async function series(): Promise<ReadonlySet<string>> {
  const text = await createMetrics("x").render(NOTHING_YET, 0);
  return new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

/** The metrics that an expression of PromQL names. */
const namedIn = (expr: string) => expr.match(/\brollcall_\w+/g) ?? [];

/** What `label OPERATOR "value"` lets through, as Prometheus matches: the whole value. */
function matches(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return [...selector.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].every(
    ([, label = "", operator, value = ""]) => {
      const found = labels[label] ?? "";
      const isMatch =
        operator?.endsWith("~") === true ? new RegExp(`^(?:${value})$`).test(found) : found === value;
      return operator?.startsWith("!") === true ? !isMatch : isMatch;
    },
  );
}

/** Conditions that raise a rule. users-missing is what keeps a node from being ready. */
function conditionsOf({ expr }: Rule): string[] {
  const selector = /^rollcall_condition\{(.*)\} == 1$/.exec(expr)?.[1];
  if (expr === "rollcall_ready == 0") {
    return ["users-missing"];
  }
  return Object.entries(CONDITIONS)
    .filter(([code, { severity }]) => selector !== undefined && matches(selector, { code, severity }))
    .map(([code]) => code);
}

describe("the alerts", () => {
  it("name figures that there are", async () => {
    const there = await series();

    assert.ok(rules.length > 5);
    assert.deepEqual(
      rules.flatMap(({ expr }) => namedIn(expr)).filter((name) => !there.has(name)),
      [],
    );
    assert.deepEqual(
      rules.filter(({ expr }) => !/\brollcall_|^up\{/.test(expr)),
      [],
    );
  });

  it("name codes that there are", () => {
    const codes = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/\bcode[!=]~?"([^"]*)"/g)].flatMap(([, value = ""]) => value.split("|")),
    );

    assert.ok(codes.length > 1);
    assert.deepEqual(
      codes.filter((code) => !(code in CONDITIONS) && !(code in PROBLEMS)),
      [],
    );
  });

  it("are raised by every condition, and once at most", () => {
    const raised = rules.flatMap((rule) => conditionsOf(rule));

    assert.deepEqual(raised.sort(), Object.keys(CONDITIONS).sort());
  });

  it("wake somebody for whatever is critical, and for nothing that is only worth knowing", () => {
    for (const rule of rules) {
      const severities = new Set(
        conditionsOf(rule).map((code) => CONDITIONS[code as keyof typeof CONDITIONS].severity),
      );
      if (severities.size > 0) {
        assert.equal(rule.labels["severity"] === "page", severities.has("critical"), rule.alert);
      }
    }
  });

  it("have names of their own, and say what is wrong", () => {
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
    for (const { alert, labels, annotations } of rules) {
      assert.match(alert, /^Rollcall[A-Z]\w+$/);
      assert.match(labels["severity"] ?? "", /^(?:page|ticket)$/, alert);
      assert.ok(annotations["summary"] && annotations["description"], alert);
    }
  });
});

describe("the dashboard", () => {
  it("shows figures that there are, and each of them but when the IAM was last believed by the wall clock", async () => {
    const there = await series();
    const shown = new Set(queries.flatMap(namedIn));
    const unseen = [...there].filter((name) => !shown.has(name) && !/_(?:sum|count)$/.test(name));

    assert.deepEqual(
      [...shown].filter((name) => !there.has(name)),
      [],
    );
    assert.deepEqual(unseen, ["rollcall_last_success_timestamp_seconds"]);
  });

  it("asks for the nodes that were chosen, with variables that there are", () => {
    const variables = new Set(dashboard.templating.list.map(({ name }) => name));
    const builtIn = new Set(["__rate_interval", "__all"]);

    for (const expr of queries) {
      const used = [...expr.matchAll(/\$(\w+)/g)].map(([, name = ""]) => name);
      assert.deepEqual(
        used.filter((name) => !variables.has(name) && !builtIn.has(name)),
        [],
        expr,
      );
    }
    for (const { targets, title } of dashboard.panels) {
      assert.deepEqual(
        targets.filter(({ expr }) => !expr.includes('{job=~"$job", instance=~"$instance"')),
        [],
        title,
      );
    }
  });

  it("gives each panel an id of its own and a place of its own", () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );

    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    assert.equal(new Set(cells).size, cells.length);
  });
});

describe("the units that hand the figures on", () => {
  const skip = spawnSync("systemd-analyze", ["--version"]).status === 0 ? false : "missing: systemd-analyze";

  it("are what systemd understands", { skip }, () => {
    const units = ["socket", "service"].map((kind) => `${PACKAGING}prometheus/rollcall-metrics.${kind}`);
    const { stderr } = spawnSync("systemd-analyze", ["verify", ...units], { encoding: "utf8" });

    assert.equal(stderr, "");
  });
});
