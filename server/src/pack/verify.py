#!/usr/bin/env python3
"""Checks an evidence pack with Python alone: python3 verify.py, in the unpacked folder."""
import hashlib, json, os, sys
def sha(data): return hashlib.sha256(data).hexdigest()
def order(v):  # RFC 8785: members in the order of their UTF-16 code units
    if isinstance(v, list): return [order(x) for x in v]
    return {k: order(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be"))} if isinstance(v, dict) else v
def digest(v): return sha(json.dumps(order(v), separators=(",", ":"), ensure_ascii=False).encode())
def lines(name): return [json.loads(x) for x in open(name, encoding="utf-8")] if os.path.exists(name) else []
def stop(wrong): sys.exit("\n".join(wrong)) if wrong else None
os.chdir(os.path.dirname(os.path.abspath(__file__)))
wrong, listed = [], {"SHA256SUMS": ""}
listed.update(reversed(line.rstrip("\n").split("  ", 1)) for line in open("SHA256SUMS", encoding="utf-8"))
found = {os.path.relpath(os.path.join(d, f)).replace(os.sep, "/") for d, _, fs in os.walk(".") for f in fs}
wrong += [f"{name} is not in SHA256SUMS" for name in sorted(found - set(listed))]
wrong += [f"{name} is missing" for name in sorted(set(listed) - found)]
stop(wrong + [f"{name} was changed" for name in sorted(found) if listed.get(name) and sha(open(name, "rb").read()) != listed[name]])
extract, chain = lines("record/extract.jsonl"), lines("record/chain.jsonl")
wrong += [f"event {e['seq']} was edited" for e in extract + chain if digest({k: v for k, v in e.items() if k != "hash"}) != e["hash"]]
for a, b in list(zip(chain, chain[1:])) + [(a, b) for a, b in zip(extract, extract[1:]) if b["seq"] <= a["seq"] + 1]:
    if (b["seq"], b["prev"]) != (a["seq"] + 1, a["hash"]): wrong.append(f"event {b['seq']} does not follow event {a['seq']}")
if chain and open("record/head.txt").read().strip() != f"{chain[-1]['seq']}:{chain[-1]['hash']}": wrong.append("the chain misses the head")
if chain and not {e["hash"] for e in extract} <= {e["hash"] for e in chain}: wrong.append("an event is not in the chain")
rows = [row for name in sorted(found) if name.startswith("rows/") for row in lines(name)]
wrong += [f"{r['row']} was edited" for r in rows if digest(r["columns"]) != r["sha256"]]
written = {e["id"]: e["after"].get("rows", {}) for e in extract}
wrong += [f"{r['row']} is not what its event recorded" for r in rows if written.get(r["event"], {r["row"]: r["sha256"]}).get(r["row"]) != r["sha256"]]
stop(wrong)
print(f"Whole: {len(listed)} files, {len(extract)} events, {len(chain)} in the chain, {sum(r['event'] in written for r in rows)} of {len(rows)} rows proved.")
