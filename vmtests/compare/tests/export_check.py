#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
An export has what the results have, no more and no less: usage: export_check.py FORM FILE LABEL...

Reads the results themselves, by the rules of docs/results.md and not by vmcompare's code. Where
there is a schema for FORM, FILE must meet it. Prints what it counted; exit 0 when all are equal.
"""
import collections
import glob
import json
import os
import sys

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
DULL = {"pass": "pass", "fail": "fail", "skip": "skip", "timeout": "fail"}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def results(labels):
    """(verdicts, samples) of all boots, with the label and boot they are of."""
    verdicts, samples = [], []
    for label in labels:
        for run in sorted(glob.glob(f"{label}/*/run.json")):
            folder = os.path.dirname(run)
            with open(run, encoding="utf-8") as file:
                facts = json.load(file)
            where = facts["label"], facts["boot_id"]
            for v in lines(f"{folder}/verdicts.jsonl"):
                verdicts.append((*where, v["run"], v["test"], v["result"]))
            for s in lines(f"{folder}/samples.jsonl"):
                samples.append((*where, s["run"], s["bench"], s["case"], s["metric"],
                                s["unit"], s["value"]))
    return verdicts, samples


def kcidb(text):
    document = json.loads(text)
    builds = {b["id"] for b in document["builds"]}
    checkouts = {c["id"] for c in document["checkouts"]}
    ids = [t["id"] for t in document["tests"]]
    assert len(set(ids)) == len(ids), "two tests with one id"
    assert {t["build_id"] for t in document["tests"]} == builds, "builds without tests, or none"
    assert {b["checkout_id"] for b in document["builds"]} == checkouts, "checkouts without builds"
    verdicts, samples = [], []
    for t in document["tests"]:
        env, misc = t["environment"]["misc"], t["misc"]
        where = env["label"], env["boot_id"], misc["run"]
        if t["status"] == "DONE":
            samples.append((*where, misc["bench"], misc["case"], misc["metric"],
                            t["number"]["unit"], t["number"]["value"]))
        else:
            assert t["status"].lower() == DULL[misc["result"]], t["id"]
            verdicts.append((*where, misc["test"], misc["result"]))
    return verdicts, samples


def squad(text):
    verdicts, samples = [], []
    for run in json.loads(text):
        meta = run["metadata"]
        where = meta["label"], meta["boot_id"], meta["run"]
        for name, result in run["tests"].items():
            verdicts.append((*where, name.split("/")[1], result))
        for name, values in run["metrics"].items():
            group, bench, case, metric = name.split("/")
            samples += [(*where, f"{group}/{bench}", case, metric, None, v) for v in values]
    return verdicts, samples


def lava(text):
    verdicts, samples = [], []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) == 2:
            verdicts.append(tuple(fields))
        else:
            name, result, value, unit = fields
            assert result == "pass", line
            samples.append((name, unit, float(value)))
    return verdicts, samples


def tmt(text):
    return [(r["name"][1:], r["result"]) for r in json.loads(text)], None


# What of a verdict and of a sample each form keeps, to compare the results by.
FORMS = {
    "kcidb": (kcidb, lambda v: v, lambda s: s),
    "squad": (squad, lambda v: (*v[:4], DULL[v[4]]), lambda s: (*s[:6], None, s[7])),
    "lava": (lava, lambda v: (v[3], DULL[v[4]]),
             lambda s: (".".join(s[3:6]).replace("/", "."), s[6], s[7])),
    "tmt": (tmt, lambda v: (v[3], DULL[v[4]]), None),
}


def same(what, exported, original):
    exported, original = collections.Counter(exported), collections.Counter(original)
    for item, n in (exported - original).items():
        print(f"{what}: {n} too many in the export: {item}")
    for item, n in (original - exported).items():
        print(f"{what}: {n} missing in the export: {item}")
    return exported == original


def main():
    form, file, *labels = sys.argv[1:]
    with open(file, encoding="utf-8") as stream:
        text = stream.read()
    schema = f"{HERE}/{form}.schema.json"
    if os.path.exists(schema):
        with open(schema, encoding="utf-8") as stream:
            jsonschema.validate(json.loads(text), json.load(stream))
    read, of_verdict, of_sample = FORMS[form]
    verdicts, samples = results(labels)
    got_verdicts, got_samples = read(text)
    equal = same("verdict", got_verdicts, map(of_verdict, verdicts))
    if of_sample:
        equal &= same("sample", got_samples, map(of_sample, samples))
        metrics = {s[3:6] for s in samples}
        print(f"{len(verdicts)} verdicts, {len(metrics)} metrics, {len(samples)} samples")
    else:
        print(f"{len(verdicts)} verdicts")
    assert verdicts and samples, "nothing to compare"
    return 0 if equal else 1


sys.exit(main())
