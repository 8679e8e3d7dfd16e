//! The duties as help tells them.

pub(super) struct Duty {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) answers_for: &'static str,
    pub(super) needed: &'static str,
}

const fn duty(key: &'static str, title: &'static str, answers_for: &'static str, needed: &'static str) -> Duty {
    Duty { key, title, answers_for, needed }
}

pub(super) const DUTIES: [Duty; 15] = [
    duty(
        "purpose",
        "Business owner",
        "What it is for, which tasks are acceptable, and that it may be deployed",
        "Always",
    ),
    duty("implementation", "System owner", "How it is built, its controls at run time, its logs", "Always"),
    duty("containment", "Runtime owner", "Pausing it in production, reading its traces, bringing it back", "Always"),
    duty("policy", "Security owner", "Policy, exceptions and their review", "Always"),
    duty("identity", "Identity owner", "Its workload identity and its credentials: issue, rotate, revoke", "Always"),
    duty(
        "requests",
        "API owner",
        "What each request may do: schemas, rate limits, abuse",
        "When it has tools or calls APIs",
    ),
    duty("platform", "Platform owner", "Its sandbox, isolation, secrets, telemetry and guards", "Always"),
    duty("monitoring", "Monitoring owner", "Watching what it does and sorting its alerts", "In production"),
    duty("incident", "Incident lead", "The response when it does harm, and the evidence", "In production"),
    duty("improvement", "Improvement owner", "Mending model and workflow, finding the root cause", "In production"),
    duty("review", "Review owner", "Holding what it did against what it was approved for", "In production"),
    duty("retirement", "Retirement owner", "Taking it out of service, with its access and its data", "Always"),
    duty(
        "customer-impact",
        "Customer-impact owner",
        "What it does to customers; may suspend it, and drills that",
        "When customers meet it",
    ),
    duty(
        "vendor",
        "Vendor-oversight owner",
        "What stays our responsibility when a vendor hosts it",
        "When a vendor runs it",
    ),
    duty("regulatory", "Regulatory approver", "The second, formal approval by legal or risk", "When it is regulated"),
];
