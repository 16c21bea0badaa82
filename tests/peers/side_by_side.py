"""A simulator as a process of its own; and two programs that did the same with it, what they sent compared field by field."""

import json
import os
import pathlib
import subprocess
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "examples"


class Simulated(unittest.TestCase):
    """Tests that talk to a simulator: the example of our crate that `simulator` names."""

    simulator = ""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([EXAMPLES / cls.simulator], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.url = cls.process.stdout.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()  # it ends when its input does
        cls.process.wait(10)
        cls.process.stdout.close()

    def http(self, method, url, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {url}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def control(self, method, path, body=None):
        return self.http(method, f"{self.url}/control/{path}", body)

    def does(self, example, work):
        """Has an example of our crates do this, and gives what came of each part of it."""
        process = subprocess.run(
            [EXAMPLES / example], input=json.dumps(work), capture_output=True, text=True, timeout=120, check=False
        )
        self.assertEqual(process.returncode, 0, process.stderr)
        return [json.loads(line) for line in process.stdout.splitlines()]


class Differences:
    """Those that stand in a file with their reason, and those that are found.

    A rule says where (`at`, a pointer; one that ends in `*` begins so), by which program and in which operation, and what each side sends, where that
    matters. A rule without `at` says how a program writes the same in another way; its suite knows how to read it.
    """

    def __init__(self, file):
        self.listed = json.loads(file.read_text())
        self.found, self.unlisted, self.fields = [], [], 0

    def rewritten(self, key, by, operation, rewrite):
        """What each rule with this key makes of what a program has sent: true where it was written so."""
        self.found += [rule for rule in self.listed if key in rule and concerns(rule, by, operation) and rewrite(rule[key])]

    def compare(self, by, operation, theirs, ours):
        theirs, ours = flat(theirs), flat(ours)
        places = sorted(theirs.keys() | ours.keys())
        self.fields += len(places)
        for at in places:
            a, b = theirs.get(at, "not sent"), ours.get(at, "not sent")
            if a == b and type(a) is type(b):
                continue
            if rule := next((rule for rule in self.listed if concerns(rule, by, operation) and allows(rule, at, a, b)), None):
                self.found.append(rule)
            else:
                self.unlisted.append(f"{by}, {operation}: {at}: theirs {json.dumps(a)}, ours {json.dumps(b)}")

    def settle(self, test):
        """Fails for those without a reason, and for reasons without a difference."""
        test.assertEqual(self.unlisted, [], "differences that nobody gave a reason for:\n" + "\n".join(self.unlisted))
        test.assertEqual([rule for rule in self.listed if rule not in self.found], [], "differences that no longer occur")
        test.assertGreater(self.fields, 900)


def flat(value, at=""):
    """Every leaf of a value by its JSON pointer; an empty list or object is a leaf."""
    if isinstance(value, dict) and value:
        return {path: leaf for key, one in value.items() for path, leaf in flat(one, f"{at}/{key}").items()}
    if isinstance(value, list) and value:
        return {path: leaf for index, one in enumerate(value) for path, leaf in flat(one, f"{at}/{index}").items()}
    return {at: value}


def concerns(rule, by, operation):
    return rule.get("by", by) == by and rule.get("operation", operation) == operation and bool(rule["why"])


def allows(rule, at, theirs, ours):
    where = rule.get("at", "")
    place = at.startswith(where[:-1]) if where.endswith("*") else at == where
    return place and rule.get("theirs", theirs) == theirs and rule.get("ours", ours) == ours
