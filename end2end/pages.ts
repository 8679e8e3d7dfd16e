// Every page that a person can open. `tests/pages.spec.ts` walks the list: axe
// in light and dark, 390 pixels, plain HTML without JavaScript, no dead link. A
// new page is one line here.
import type { Role } from "./muster.ts";

export interface KnownPage {
  /** For the test's name and the picture's. */
  name: string;
  path: string;
  /** Who looks at it; nobody is signed in without. */
  as?: Role;
  /** 200 unless said. */
  status?: number;
}

// `/setup` is there only while Muster is empty: `tests/entrance.spec.ts` looks at it.
export const PAGES: KnownPage[] = [
  { name: "login", path: "/login" },
  { name: "home", path: "/", as: "security-lead" },
  { name: "agents", path: "/agents", as: "security-lead" },
  { name: "agents-none-found", path: "/agents?q=zzzzzzzz", as: "security-lead" },
  { name: "agents-nobody-can-stop", path: "/agents?runtime_owner=none", as: "security-lead" },
  { name: "agent", path: "/agents/AG-1", as: "security-lead" },
  { name: "agent-edit", path: "/agents/AG-1/edit", as: "security-lead" },
  { name: "agent-assign", path: "/agents/AG-1/assign", as: "security-lead" },
  { name: "agent-raci", path: "/agents/AG-1/raci", as: "security-lead" },
  { name: "agent-raci-edit", path: "/agents/AG-1/raci/edit", as: "security-lead" },
  { name: "agent-model", path: "/agents/model?id=AG-1", as: "security-lead" },
  { name: "agent-model-filled", path: "/agents/model?id=AG-1&model=small-organisation", as: "security-lead" },
  { name: "agents-model", path: "/agents/model?all=yes&business_unit=Marketing&model=regulated", as: "security-lead" },
  { name: "agent-handover", path: "/agents/AG-1/handover", as: "security-lead" },
  { name: "retirements", path: "/retirements", as: "security-lead" },
  { name: "retirements-retired", path: "/retirements?state=approved", as: "auditor" },
  { name: "retirement-half-way", path: "/retirements/RQ-2", as: "security-lead" },
  { name: "retirement-tombstone", path: "/retirements/RQ-1", as: "security-lead" },
  { name: "agent-retire", path: "/agents/AG-1/retire", as: "security-lead" },
  { name: "rules", path: "/rules", as: "security-lead" },
  { name: "rule", path: "/rules/SR-1?preview=yes", as: "security-lead" },
  { name: "rule-edit", path: "/rules/SR-1/edit", as: "security-lead" },
  { name: "rule-new", path: "/rules/new", as: "security-lead" },
  { name: "agent-stop", path: "/agents/AG-1/stop", as: "security-lead" },
  { name: "agent-stop-open", path: "/agents/AG-50/stop", as: "security-lead" },
  { name: "agent-stop-overdue", path: "/agents/AG-20/stop", as: "security-lead" },
  { name: "stop-credential", path: "/stop?credential=payments+API+key", as: "security-lead" },
  { name: "stop-system", path: "/stop?system=SY-1&show=webhook", as: "auditor" },
  { name: "agent-history", path: "/agents/AG-1/history", as: "security-lead" },
  { name: "agent-new", path: "/agents/new", as: "administrator" },
  { name: "people", path: "/people", as: "administrator" },
  { name: "person", path: "/people/PE-1", as: "administrator" },
  { name: "person-edit", path: "/people/PE-1/edit", as: "administrator" },
  { name: "person-new", path: "/people/new", as: "administrator" },
  { name: "teams", path: "/teams", as: "administrator" },
  { name: "team", path: "/teams/TE-1", as: "administrator" },
  { name: "team-edit", path: "/teams/TE-1/edit", as: "administrator" },
  { name: "team-new", path: "/teams/new", as: "administrator" },
  { name: "team-on-call", path: "/teams/TE-3/on-call", as: "security-lead" },
  { name: "person-reach", path: "/people/PE-5/reach", as: "security-lead" },
  { name: "still-yours", path: "/still-yours", as: "member" },
  { name: "systems", path: "/systems", as: "administrator" },
  { name: "system", path: "/systems/SY-1", as: "security-lead" },
  { name: "platform", path: "/systems/SY-2", as: "security-lead" },
  { name: "platform-raci", path: "/systems/SY-2/raci", as: "security-lead" },
  { name: "platform-raci-edit", path: "/systems/SY-2/raci/edit", as: "security-lead" },
  { name: "agent-raci-inherited", path: "/agents/AG-4/raci", as: "security-lead" },
  { name: "system-new", path: "/systems/new", as: "administrator" },
  { name: "audit", path: "/audit", as: "auditor" },
  { name: "settings", path: "/settings", as: "administrator" },
  { name: "account", path: "/account", as: "member" },
  { name: "help", path: "/help", as: "member" },
  { name: "help-findings", path: "/help/findings", as: "member" },
  { name: "help-tiers", path: "/help/tiers", as: "member" },
  { name: "raci-check", path: "/raci/check", as: "member" },
  { name: "not-found", path: "/nothing-here", as: "member", status: 404 },
];
