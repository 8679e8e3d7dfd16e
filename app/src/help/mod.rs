//! Help, in the app: the words Muster uses, and what its rules mean.

mod duties;
mod exceptions;
mod policy;
mod requests;
pub mod retirement;
mod reviews;

use leptos::prelude::*;

use crate::components::{IntoPiece, Lifecycle, PageHead, Section, StopState, TableFrame, Tier};
use duties::DUTIES;
use policy::deciding;
use requests::asking;

/// The parts of the page: id and heading.
const PARTS: [(&str, &str); 18] = [
    ("what", "What Muster is"),
    ("words", "Words"),
    ("duties", "Duties and their owners"),
    ("models", "Operating models and standing rules"),
    ("stop", "Who can stop it"),
    ("webhook", "Stop webhooks and drills"),
    ("on-call", "On call and being reached"),
    ("confirm", "Still yours? And who is next"),
    ("life", "The life of an agent"),
    ("approvals", "Approvals and other requests"),
    ("exceptions", "Exceptions"),
    ("reviews", "Periodic review and campaigns"),
    ("retirement", "Retiring an agent"),
    ("tiers", "Risk tiers"),
    ("policy", "The policy, delegation, calendars"),
    ("import", "Importing agents"),
    ("roles", "Who may do what"),
    ("keys", "Keyboard and phone"),
];

/// The words Muster uses, in the order in which one meets them.
const WORDS: [(&str, &str); 13] = [
    ("Agent", "A piece of software that decides and acts by itself, within the task it was approved for."),
    ("Duty", "One thing somebody answers for: its purpose, stopping it, its credentials, its policy, and so on."),
    ("Party", "A person or a team. A team answers only while it has an active lead; the lead is then the named owner."),
    ("Owner", "The one party that is Accountable for a duty. There is no other kind of owner in Muster."),
    ("R A C I", "Responsible does the work, Accountable answers for it, Consulted is asked first, Informed is told."),
    (
        "Offer",
        "An appointment that has not been accepted. Until it is, the former owner still answers, or nobody does.",
    ),
    (
        "System",
        "Several agents that do one job together. It has owners of its own, and they never stand in for a member's.",
    ),
    (
        "Platform",
        "What several agents run on. They inherit its owners of identity, requests and platform; an owner of an agent's own overrides that row.",
    ),
    (
        "Boundary",
        "All the facts that policy reads: purpose, tools, data, autonomy, exposure, identity and the rest. An approval covers one exact boundary.",
    ),
    ("Drift", "The agent as it is now differs from the boundary that was approved."),
    ("Gap", "A duty that is required and has no owner, or an owner who left. It counts from the moment it opened."),
    ("Finding", "One rule that one agent breaks, since when, and the one action that mends it."),
    ("Exception", "A dated permission to break a rule, with controls in its place. It ends by itself."),
];

const STOP: [(&str, &str, &str); 6] = [
    ("none", "Nobody answers for stopping it.", "Offer the duty to a person or a team."),
    ("inactive", "Its runtime owner left, or is a team that nobody leads.", "Offer the duty to somebody who is here."),
    ("pending", "Somebody was asked and has not answered yet.", "Wait, remind, or ask somebody else."),
    ("unable", "There is an owner, but no way to stop it is recorded.", "Record a webhook, or a written procedure."),
    (
        "untested",
        "There is a way, but this owner has not shown it within the tier's cadence.",
        "Rehearse it: a drill changes nothing.",
    ),
    (
        "verified",
        "This owner has shown, with this version of the method, that it stops the agent.",
        "Nothing, until the drill is due again.",
    ),
];

const LIFE: [(&str, &str); 8] = [
    ("discovered", "Seen by a source, never approved."),
    ("draft", "Being described."),
    ("proposed", "Put forward; those whose approval its boundary needs are deciding."),
    ("approved", "Every needed approval was given. It may not run yet."),
    ("active", "Approved, with every required duty held and an able runtime owner."),
    ("suspended", "Stopped for now. Resuming is approved, not clicked."),
    ("retiring", "Access is being taken away, row by row of a checklist."),
    ("retired", "Over. Its record stays, and any later sign of life raises a critical alert."),
];

const TIERS: [(&str, &str); 4] = [
    ("low", "Suggests only, and touches nothing sensitive."),
    ("moderate", "Acts within narrow limits, or reads internal data."),
    (
        "high",
        "Writes, acts alone, meets customers, or holds sensitive access. Needs a verified stop before it goes active in production.",
    ),
    (
        "critical",
        "Several of these at once, such as acting alone on regulated data in public. Shortest intervals for everything.",
    ),
];

/// The whole help page; goes inside `Layout`.
#[component]
pub fn Help() -> impl IntoView {
    let contents = PARTS.map(|(id, title)| view! { <li><a href=format!("#{id}")>{title}</a></li> }).collect_view();
    view! {
        <PageHead title="Help" lead="How Muster thinks, in ten minutes."/>
        <div class="help">
            <nav aria-label="On this page"><ul>{contents}</ul></nav>
            <div class="stack loose">
                <What/>
                <Words/>
                <Duties/>
                <Models/>
                <Stop/>
                <Webhook/>
                <OnCall/>
                <Confirming/>
                <Life/>
                {asking()}
                {exceptions::excepting()}
                {reviews::reviewing()}
                <retirement::Retirement/>
                <Tiers/>
                {deciding()}
                <Importing/>
                <Roles/>
                <Keys/>
            </div>
        </div>
    }
    .piece()
}

/// A part whose heading stands in [`PARTS`].
fn heading(id: &'static str) -> &'static str {
    PARTS.iter().find(|(part, _)| *part == id).map_or(id, |(_, title)| title)
}

#[component]
fn What() -> impl IntoView {
    view! {
        <Section id="what" title=heading("what")>
            <div class="prose">
                <p>"Muster is the register of this organisation's AI agents and of the people who answer for them. For each agent it shows who that is, whether they can stop it, and what is missing."</p>
                <p>"It does not run agents. It asks for accountability before one runs, sends alerts to the person who can act, and keeps a record of every change that cannot be altered without showing."</p>
                <p>"Begin on " <a href="/">"Home"</a> ", which shows what waits for you. To see one agent, open it from " <a href="/agents">"Agents"</a> ": its first sentence says who answers for what."</p>
            </div>
        </Section>
    }
    .piece()
}

#[component]
fn Words() -> impl IntoView {
    let words = WORDS.map(|(word, meaning)| view! { <div><dt>{word}</dt><dd>{meaning}</dd></div> }).collect_view();
    view! { <Section id="words" title=heading("words")><dl class="terms">{words}</dl></Section> }
}

#[component]
fn Duties() -> impl IntoView {
    let rows = DUTIES
        .iter()
        .map(|duty| {
            view! {
                <tr>
                    <th scope="row">{duty.title}<br/><span class="ref muted">{duty.key}</span></th>
                    <td class="text" data-label="Answers for">{duty.answers_for}</td>
                    <td class="text" data-label="Needed">{duty.needed}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section id="duties" title=heading("duties")>
            <p class="prose">"Each duty has at most one owner at a time, and every change closes one line and opens the next, so that past answers stay exact. A sandbox agent that only suggests and touches nothing sensitive needs just three: purpose, containment and policy."</p>
            <TableFrame label="Duties" stacks=true>
                <thead><tr><th scope="col">"Owner"</th><th scope="col">"Answers for"</th><th scope="col">"Needed"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <p class="prose">"An agent's matrix shows every duty and every party that holds something of it, and says beside each duty what is wrong. It is edited as a whole, with one reason: R, C and I hold at once, and a new A is an offer. It can be downloaded as a table, and a table can be read into the form, where each difference shows before it is saved."</p>
            <p class="prose">"To see whether a RACI table of any origin keeps the rules (one A, at least one R in every row), " <a href="/raci/check">"check it"</a> ": paste it or send it as a file. Nothing of it is stored."</p>
        </Section>
    }
    .piece()
}

/// The models as the rules have them, so that help cannot say otherwise.
#[component]
fn Models() -> impl IntoView {
    let models = domain::model::Model::ALL
        .iter()
        .map(|model| view! { <div><dt>{model.label()}</dt><dd>{model.fits()}</dd></div> })
        .collect_view();
    view! {
        <Section id="models" title=heading("models")>
            <p class="prose">"An operating model says which function of the organisation holds which duty. Apply one from an agent's matrix, or from the inventory to the rows that are picked or to all that match: choose the model, say who fills each function, read what would happen, then apply it as one change with a reason. Duties are offered; what somebody holds or is asked stays, unless you say that it is to be replaced."</p>
            <dl class="terms">{models}</dl>
            <p class="prose">"Where one team holds several of identity, requests and platform, a security lead writes down why, and until when, at most for twelve months. The agent's matrix shows it; once it has ended while the duties still lie in one hand, that is a finding."</p>
            <p class="prose">"Where one team built an agent and another operates it, the second must have accepted it from the first: the lead of the team that built it, or a security lead, offers it on the agent's handover page, and the lead of the team that operates it accepts or declines. Both see it on Home meanwhile. Until it is accepted between exactly these two teams, that is a finding."</p>
            <p class="prose">"A standing rule says whom to ask where agents of some sort lack an owner: agents of one business unit without a runtime owner, one team. Rules are asked in their order when they are run and at the end of every import. A rule never touches a duty that somebody holds, that is on offer, or about which somebody said no: its party declined it, or somebody took it away. A rule whose party has left asks nobody and is shown as broken."</p>
        </Section>
    }
    .piece()
}

#[component]
fn Stop() -> impl IntoView {
    let rows = STOP
        .map(|(state, meaning, next)| {
            view! {
                <tr>
                    <th scope="row"><StopState state=state/></th>
                    <td class="text" data-label="Means">{meaning}</td>
                    <td class="text" data-label="To do">{next}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section id="stop" title=heading("stop")>
            <div class="prose">
                <p>"The runtime owner must be able to pause the agent in production. Muster does not take that on trust: it asks for a recorded method and for a drill. Every agent that is not retired is in one of six states, worst first."</p>
                <p>"In an emergency, anyone on call for a duty of the agent, and any security lead, may stop it at once with a reason. That only ever removes access, and it is reviewed within a day. Muster calls the webhook of every surface that has one; what no webhook does is a step of the stop card, for the owner of its duty. An agent's earlier stops stay on that page, each with what became of its steps."</p>
                <p>"Credentials, tools, vendors and systems are shared: an agent's page names them under “What it shares”, each with how many agents use it. That number leads to the blast radius: which agents they are, how many run, whom nobody can stop, which of them a webhook pauses. From there one press stops all of them that you may stop; each agent has a stop of its own, those that are stopped already are left, and the list shows what became of each webhook."</p>
            </div>
            <TableFrame label="States of the runtime owner" stacks=true>
                <thead><tr><th scope="col">"State"</th><th scope="col">"Means"</th><th scope="col">"To do"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// What a receiver must know to check a call and to answer it.
#[component]
fn Webhook() -> impl IntoView {
    view! {
        <Section id="webhook" title=heading("webhook")>
            <div class="prose">
                <p>"Stopping is recorded apart for each surface: pause (runtime owner), revoke and rotate (identity owner), block requests (API owner), isolate (platform owner). Each is a written procedure, or a webhook that Muster calls."</p>
                <p>"Muster posts JSON to the webhook with the headers " <code>"Muster-Delivery"</code> ", " <code>"Muster-Timestamp"</code> " (whole seconds since 1970) and " <code>"Muster-Signature"</code> ". The signature is " <code>"v1="</code> " and the HMAC-SHA-256, in lower-case hexadecimal, of the timestamp, a full stop and the body, with the method's secret as key. A receiver computes it again, compares, and refuses a timestamp that is more than five minutes old."</p>
                <p>"An answer of 2xx means accepted, no more. When the agent has stopped, the receiver posts " <code>"{\"delivery\": \"…\", \"stopped\": true}"</code> " to the " <code>"callback"</code> " address that the call names, with its own timestamp and a signature made the same way. It counts once, and only within the method's time. Muster follows no redirect and calls no private address unless its operator allows that."</p>
                <p>"A drill is the same call with " <code>"\"drill\": true"</code> ": the receiver does everything but the stop, and answers by the same callback. A delivery may arrive twice, after a restart of Muster: its id is the same. When many agents are stopped at once, at most 32 webhooks are called at a time, and a call that had to wait has as much longer for its callback. A written procedure is drilled before a witness, with a file that shows it. A drill passed by the present owner with this version of the method proves it until the tier's cadence is over."</p>
            </div>
        </Section>
    }
    .piece()
}

#[component]
fn OnCall() -> impl IntoView {
    view! {
        <Section id="on-call" title=heading("on-call")>
            <div class="prose">
                <p>"A team's page leads to who is on call. People take turns in a fixed order; whoever is away is passed over, and somebody may take over for a while, from the team or from elsewhere. An override comes before any turn. Of several at once the latest holds."</p>
                <p>"Whoever is on call for a team may stop its agents and show that stopping works in the team's name. Who was on call at a past moment has an exact answer: nothing of a schedule is overwritten."</p>
                <p>"A channel (phone, chat, e-mail, pager) counts once it is tested, and then for 180 days. A colleague opens the person's page, begins the test, and gets a code of six digits to pass on by that channel; the person types it within 15 minutes under their account. Nobody tests their own."</p>
                <p>"A runtime owner of whom nobody can be reached is a gap: no tested channel, or everybody away. For a team it is enough that its lead, its deputy or one member can be reached. Numbers and addresses are shown to colleagues of the same team, the manager and deputy, security leads and administrators."</p>
            </div>
        </Section>
    }
    .piece()
}

#[component]
fn Confirming() -> impl IntoView {
    view! {
        <Section id="confirm" title=heading("confirm")>
            <div class="prose">
                <p>"Accepting a duty is an owner's word that it is theirs. It counts for 365 days of an agent of low or moderate tier, 180 of high, 90 of critical; then Home asks “Still yours?”, and one press says yes to all that is shown. Whoever changes business unit is asked about each duty at once. What is not theirs any more is offered to somebody else, and stays theirs until that is accepted."</p>
                <p>"When an owner leaves, nothing is reassigned by itself. The agent's page, the person's page and the list of such agents show who is next in line, the deputy, then the manager, then nobody, each with a button that offers it to them."</p>
            </div>
        </Section>
    }
    .piece()
}

#[component]
fn Life() -> impl IntoView {
    let rows = LIFE
        .map(|(state, meaning)| view! { <tr><th scope="row"><Lifecycle state=state/></th><td>{meaning}</td></tr> })
        .collect_view();
    view! {
        <Section id="life" title=heading("life")>
            <p class="prose">"Whether an agent runs is a fact of its own, apart from this. Where nobody knows, Muster counts it as running."</p>
            <TableFrame label="States of an agent">
                <thead><tr><th scope="col">"State"</th><th scope="col">"Means"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

#[component]
fn Tiers() -> impl IntoView {
    let rows = TIERS
        .map(|(tier, meaning)| view! { <tr><th scope="row"><Tier tier=tier/></th><td>{meaning}</td></tr> })
        .collect_view();
    view! {
        <Section id="tiers" title=heading("tiers")>
            <p class="prose">"The tier is computed from the agent's facts; its page shows which fact gave how many points. It sets who approves, how often the agent is reviewed and its stop is drilled, and how long an exception may last."</p>
            <TableFrame label="Risk tiers">
                <thead><tr><th scope="col">"Tier"</th><th scope="col">"Typically"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

#[component]
fn Importing() -> impl IntoView {
    view! {
        <Section id="import" title=heading("import")>
            <ol class="prose">
                <li>"Save your inventory as CSV, one agent a row, with a heading line. Any column names will do."</li>
                <li>"Open " <a href="/agents/import">"Import"</a> " and choose the file. Muster guesses which column is which; correct it where it is wrong."</li>
                <li>"Read the preview: what is new, what changes, what stays, and what is refused and why. Owners' names are matched to people; a name that fits nobody is shown, not kept as text."</li>
                <li>"Give the wave an owner and a target date, then apply it. Nothing is written before that."</li>
                <li>"Download the refused rows, mend them, and send them again. Importing the same file twice changes nothing."</li>
            </ol>
            <p class="prose muted">"Until the target date the gaps of imported agents count as onboarding, with one exception: an agent that runs and that nobody can stop is shown at once."</p>
        </Section>
    }
    .piece()
}

#[component]
fn Roles() -> impl IntoView {
    view! {
        <Section id="roles" title=heading("roles")>
            <dl class="terms">
                <div><dt>"Member"</dt><dd>"Registers agents, asks for approval, exceptions and retirement, and decides where a duty says so."</dd></div>
                <div><dt>"Risk analyst"</dt><dd>"Keeps the exceptions, mappings, review campaigns, reports and imports."</dd></div>
                <div><dt>"Security lead"</dt><dd>"Sets policy and routing, changes the owners of any agent, suspends, takes command."</dd></div>
                <div><dt>"Auditor"</dt><dd>"Reads everything, changes nothing."</dd></div>
                <div><dt>"Administrator"</dt><dd>"Keeps people, teams, settings and tokens; decides nothing about agents by that role."</dd></div>
            </dl>
            <p class="prose">"One person may hold several roles. Nobody decides what they asked for themselves. What you may not see looks as if it were not there."</p>
        </Section>
    }
    .piece()
}

#[component]
fn Keys() -> impl IntoView {
    view! {
        <Section id="keys" title=heading("keys")>
            <div class="prose">
                <p>"Everything works with " <kbd>"Tab"</kbd> ", " <kbd>"Enter"</kbd> " and " <kbd>"Space"</kbd> ", and without JavaScript. " <kbd>"Esc"</kbd> " closes a menu. " <kbd>"Ctrl"</kbd> " " <kbd>"K"</kbd> " (on a Mac " <kbd>"⌘"</kbd> " " <kbd>"K"</kbd> ") opens “Go to” from anywhere: write a part of a name or a reference, choose with the arrow keys, and press " <kbd>"Enter"</kbd> ". The first " <kbd>"Tab"</kbd> " on a page offers to skip to its content. A table that is wider than the screen can be focused and moved with the arrow keys."</p>
                <p>"While a RACI matrix is edited, the arrow keys move from cell to cell; " <kbd>"R"</kbd> " " <kbd>"A"</kbd> " " <kbd>"C"</kbd> " " <kbd>"I"</kbd> " set a letter and with " <kbd>"Shift"</kbd> " add it, " <kbd>"Space"</kbd> " goes round, " <kbd>"Delete"</kbd> " empties. Without JavaScript every cell is a list to choose from."</p>
                <p>"Search, filters, order and columns are in the address: copy it to send a view to somebody, or keep it as a bookmark. Times are shown relative to now; rest on one to see it in UTC."</p>
            </div>
        </Section>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_contents_is_on_the_page() {
        let html = view! { <Help/> }.to_html();
        for (id, _) in PARTS {
            assert_eq!(html.matches(&format!("<section id=\"{id}\"")).count(), 1, "{id}: {html}");
        }
    }
}
