/* SPDX-License-Identifier: GPL-2.0 */
/* How the HTML page begins: its policy, which forbids scripts and the network, and its style. */
#ifndef VMCOMPARE_HTML_HEAD_H
#define VMCOMPARE_HTML_HEAD_H

static const char html_head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\"><title>vmcompare</title><style>\n"
	":root{--ink:#1a1a1a;--dim:#666;--paper:#fff;--line:#ddd;--good:#10703c;--bad:#b3261e;"
	"--a:#3b6fb6;--b:#d98324;--c:#7a9e3a;--d:#8a5fb0}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--dim:#a0a0a0;--paper:#16181b;"
	"--line:#3a3d42;--good:#6fd39a;--bad:#ff8a80}\n"
	"svg{filter:invert(1) hue-rotate(180deg)}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:70rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"
	"h3{font-size:1rem;margin:1.5rem 0 .3rem;overflow-wrap:anywhere}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.25rem .4rem;text-align:left;border-bottom:1px solid var(--line)}\n"
	"td[data-k=verdict] span:first-child{white-space:nowrap}td.n,th.n{text-align:right;white-space:nowrap}\n"
	".dim{color:var(--dim)}.better{color:var(--good);font-weight:600}\n"
	".worse,.unfair{color:var(--bad);font-weight:600}\n"
	".pictures{display:grid;gap:0 1.5rem;"
	"grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}\n"
	"figure{margin:0 0 1.5rem}figcaption{overflow-wrap:anywhere;line-height:1.3}\n"
	"svg{width:100%;height:auto;max-width:40rem;display:block}\n"
	".bar{display:flex;height:1.4rem;max-width:48rem;border-radius:3px;overflow:hidden}\n"
	".key{margin:.2rem 0 1rem;color:var(--dim)}.key i{display:inline-block;width:.8em;height:.8em}\n"
	".bar i{display:block;min-width:2px}.p4d{background:var(--d)}.pud{background:var(--c)}\n"
	".pmd{background:var(--a)}.pte{background:var(--b)}\n"
	"@media(max-width:40rem){table.rows,table.rows tbody,table.rows tr,table.rows td{display:block}\n"
	"table.rows tr.head{display:none}table.rows tr{padding:.5rem 0;border-bottom:1px solid var(--line)}\n"
	"table.rows td{border:0;padding:0;text-align:left}table.rows td br{display:none}\n"
	"table.rows td[data-k]::before{content:attr(data-k) \": \";color:var(--dim)}}\n"
	"</style></head><body>\n";

#endif
