//! Notices: told with the change or not at all, read by their reader, sent once by one of many.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::id::PersonId;
use domain::notice::{How, NoticeKind, OutletKind, Preferences, retry};
use domain::party::Role;
use register::change::Change;
use register::notices::list::{self, Query};
use register::notices::outlets::{self, NewOutlet};
use register::notices::send::{self, Failed, LEASE, Taken, To};
use register::notices::{New, plan, preferences, queue, tell};
use register::{By, Db, Error, args, people};

use crate::people::{keeper, person, pointers, the_record_holds};
use crate::support::{actor, by, day, story};

fn new(kind: NoticeKind, key: &str) -> New {
    New {
        what: format!("{key} happened."),
        why: "You answer for it.".into(),
        todo: "Look.".into(),
        link: "/agents/AG-1".into(),
        ..New::of(kind, key)
    }
}

async fn told_by(db: &Db, who: &Actor, now: DateTime<Utc>, to: &[PersonId], notice: &New) {
    let mut change = Change::begin(db, By { actor: who, now }).await.unwrap();
    tell(&mut change, to, notice).await.unwrap();
    change.commit().await.unwrap();
}

async fn told(db: &Db, now: DateTime<Utc>, to: &[PersonId], notice: &New) {
    told_by(db, &Actor::muster(), now, to, notice).await;
}

fn member(id: PersonId) -> Actor {
    actor(id.0, &[Role::Member])
}

async fn unread(db: &Db, id: PersonId) -> i64 {
    list::unread(db, id).await.unwrap()
}

async fn keys(db: &Db, id: PersonId, all: bool) -> Vec<String> {
    let query = Query { all, ..Query::default() };
    let page = list::page(db, by(&member(id), 9), &query).await.unwrap();
    page.items.into_iter().map(|n| n.item.what.split(' ').next().unwrap().to_owned()).collect()
}

async fn planned(db: &Db, now: DateTime<Utc>) {
    while plan::plan(db, now, true).await.unwrap() > 0 {}
}

async fn taken(db: &Db, owner: &str, now: DateTime<Utc>) -> Vec<Taken> {
    send::take(db, owner, now, 100, true).await.unwrap()
}

fn whats(taken: &[Taken]) -> Vec<Vec<&str>> {
    let mut out: Vec<Vec<&str>> =
        taken.iter().map(|t| t.items.iter().map(|i| i.what.split(' ').next().unwrap()).collect()).collect();
    out.sort();
    out
}

async fn people_are_told_what_concerns_them(db: Db) {
    let (ana, ben, cleo) = (person(&db, "Ana").await, person(&db, "Ben").await, person(&db, "Cleo").await);
    people::leave(&db, by(&keeper(), 0), cleo, None, "Moved on.").await.unwrap();
    // With the change or not at all.
    let muster = Actor::muster();
    let mut change = Change::begin(&db, by(&muster, 1)).await.unwrap();
    tell(&mut change, &[ana], &new(NoticeKind::Report, "lost")).await.unwrap();
    drop(change);
    assert_eq!(unread(&db, ana).await, 0);

    // Whoever acts knows already, and who left is not told.
    told_by(&db, &member(ana), day(1), &[ana, ben, cleo, ben], &new(NoticeKind::Report, "one")).await;
    assert_eq!((unread(&db, ana).await, unread(&db, ben).await, unread(&db, cleo).await), (0, 1, 0));
    let mine = New { to_actor: true, ..new(NoticeKind::Account, "two") };
    told_by(&db, &member(ana), day(1) + TimeDelta::seconds(1), &[ana, ben], &mine).await;
    assert_eq!((unread(&db, ana).await, unread(&db, ben).await), (1, 2));
    // Once for a key.
    told(&db, day(2), &[ana, ben], &new(NoticeKind::Report, "one")).await;
    assert_eq!(
        (keys(&db, ana, false).await, keys(&db, ben, false).await),
        (vec!["one".into(), "two".into()], vec!["two".into(), "one".into()])
    );

    // Read by their reader alone.
    let page = list::page(&db, by(&member(ben), 3), &Query::default()).await.unwrap();
    assert_eq!(page.total, Some(2));
    let first = page.items[0].item.id.clone();
    let other = list::mark(&db, by(&member(ana), 3), &first, true).await;
    assert!(matches!(other, Err(Error::NotFound(_))), "{other:?}");
    assert!(list::mark(&db, by(&member(ben), 3), &first, true).await.unwrap().read_at.is_some());
    assert_eq!(keys(&db, ben, false).await, ["one"]);
    list::mark(&db, by(&member(ben), 3), &first, false).await.unwrap();
    // What came since the page was shown stays unread.
    told(&db, day(4), &[ben], &new(NoticeKind::Report, "three")).await;
    assert_eq!(list::mark_all(&db, by(&member(ben), 4), &first).await.unwrap(), 2);
    assert_eq!(keys(&db, ben, false).await, ["three"]);
    assert_eq!(keys(&db, ben, true).await, ["three", "two", "one"]);
    // Page by page.
    let small = |cursor| Query { all: true, cursor, limit: Some(2) };
    let one = list::page(&db, by(&member(ben), 5), &small(None)).await.unwrap();
    let two = list::page(&db, by(&member(ben), 5), &small(one.next.clone())).await.unwrap();
    assert_eq!((one.items.len(), two.items.len(), two.next.is_none()), (2, 1, true));
    let back = list::page(&db, by(&member(ben), 5), &small(two.previous)).await.unwrap();
    assert_eq!(back.items, one.items);
    // Nobody but a person has notices.
    let refused = list::page(&db, by(&Actor::cli(), 5), &Query::default()).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    // An auditor's own are theirs.
    let auditor = actor(ben.0, &[Role::Auditor]);
    assert_eq!(list::page(&db, by(&auditor, 5), &Query::default()).await.unwrap().items.len(), 1);
    // What was told is never told otherwise.
    assert!(db.run("UPDATE notice SET what = 'other' WHERE id = $1", args![&first]).await.is_err());
    the_record_holds(&db).await;
}

async fn each_kind_reaches_people_as_they_chose(db: Db) {
    let (ana, ben) = (person(&db, "Ana").await, person(&db, "Ben").await);
    let me = member(ana);
    let mut mine = preferences::mine(&db, by(&me, 0)).await.unwrap();
    assert_eq!(mine, Preferences::default());
    let wrong = Preferences { offset: 900, digest_at: 2000, quiet: Some((60, 60)), ..mine.clone() };
    let wrong = preferences::write(&db, by(&me, 0), &wrong).await.unwrap_err();
    assert_eq!(pointers(wrong), ["/offset", "/digest_at", "/quiet_until"]);
    // The stories' noon is 14:13:20 UTC; theirs is one hour later, and quiet from there on.
    mine.offset = 60;
    mine.quiet = Some((15 * 60, 16 * 60));
    mine.digest_at = 18 * 60;
    mine.choose(NoticeKind::RequestEnded, How::InApp);
    mine.choose(NoticeKind::DrillDue, How::AtOnce);
    preferences::write(&db, by(&me, 0), &mine).await.unwrap();
    preferences::write(&db, by(&me, 0), &mine).await.unwrap();
    assert_eq!(preferences::mine(&db, by(&me, 0)).await.unwrap(), mine);
    let sql = "SELECT COUNT(*) FROM audit_event WHERE action = 'notices.chosen'";
    assert_eq!(db.one(sql, args![]).await.unwrap().unwrap().get::<i64>(0).unwrap(), 1, "what differs is written");

    let now = day(1);
    let kinds = [
        (NoticeKind::DecisionWaits, "decide"),
        (NoticeKind::RequestEnded, "ended"),
        (NoticeKind::DrillDue, "drill"),
        (NoticeKind::Report, "report"),
    ];
    for (second, (kind, key)) in (0..).zip(kinds) {
        told(&db, now - TimeDelta::seconds(9 - second), &[ana, ben], &new(kind, key)).await;
    }
    let urgent = New { critical: true, ..new(NoticeKind::AgentStopped, "stopped") };
    told(&db, now, &[ana], &urgent).await;
    planned(&db, now).await;
    // At once: to Ana only what is critical, since it is her quiet hour; to Ben the decision.
    let out = taken(&db, "s", now).await;
    assert_eq!(whats(&out), [vec!["decide"], vec!["stopped"]]);
    for t in &out {
        assert!(send::sent(&db, "s", &t.delivery, now).await.unwrap());
    }
    // Her quiet hour ends at 15:00 UTC: one message.
    let end = now + TimeDelta::minutes(47);
    assert_eq!(send::next_due(&db, true).await.unwrap().unwrap().timestamp() % 3600, 0);
    let held = taken(&db, "s", end).await;
    assert_eq!(whats(&held), [vec!["decide", "drill"]]);
    send::sent(&db, "s", &held[0].delivery, end).await.unwrap();
    // Her digest at 17:00 UTC, his at 08:00.
    let evening = taken(&db, "s", now + TimeDelta::hours(3)).await;
    assert_eq!(whats(&evening), [vec!["report"]]);
    send::sent(&db, "s", &evening[0].delivery, end).await.unwrap();
    let morning = taken(&db, "s", now + TimeDelta::hours(18)).await;
    assert_eq!(whats(&morning), [vec!["ended", "drill", "report"]]);
    send::sent(&db, "s", &morning[0].delivery, end).await.unwrap();
    assert_eq!(send::next_due(&db, true).await.unwrap(), None);
    // Where no e-mail is sent, nothing waits for it.
    told(&db, day(5), &[ben], &new(NoticeKind::Report, "silent")).await;
    assert_eq!(plan::plan(&db, day(5), false).await.unwrap(), 1);
    assert_eq!(queue::count(&db, day(5)).await.unwrap().waiting, 0);
    the_record_holds(&db).await;
}

async fn a_day_without_a_server_ends_in_one_message_each(db: Db) {
    let (ana, ben) = (person(&db, "Ana").await, person(&db, "Ben").await);
    // Half of it planned before the outage, half of it told by others meanwhile.
    for n in 0..20 {
        told(&db, day(1) + TimeDelta::minutes(n), &[ana, ben], &new(NoticeKind::DrillDue, &format!("a{n}"))).await;
    }
    planned(&db, day(1) + TimeDelta::minutes(30)).await;
    for n in 0..20 {
        told(&db, day(1) + TimeDelta::hours(n), &[ana, ben], &new(NoticeKind::DecisionWaits, &format!("b{n}"))).await;
    }
    let back = day(2);
    planned(&db, back).await;
    let out = taken(&db, "s", back).await;
    assert_eq!(out.iter().map(|t| t.items.len()).collect::<Vec<_>>(), [40, 40]);
    let whom: BTreeSet<String> =
        out.iter().map(|t| if let To::Person { name, .. } = &t.to { name.clone() } else { String::new() }).collect();
    assert_eq!(whom.into_iter().collect::<Vec<_>>(), ["Ana", "Ben"]);
}

async fn what_failed_is_tried_again_and_given_up_in_the_end(db: Db) {
    let ana = person(&db, "Ana").await;
    let mut now = day(1);
    told(&db, now, &[ana], &new(NoticeKind::DecisionWaits, "one")).await;
    planned(&db, now).await;
    let first = taken(&db, "a", now).await.remove(0);
    // Nobody else has it meanwhile; a server that died loses it, and another sends the same.
    assert!(taken(&db, "b", now + LEASE - TimeDelta::seconds(1)).await.is_empty());
    send::renew(&db, "a", now + TimeDelta::seconds(10)).await.unwrap();
    assert!(taken(&db, "b", now + LEASE).await.is_empty(), "it was kept");
    now = now + LEASE + TimeDelta::seconds(10);
    let again = taken(&db, "b", now).await.remove(0);
    assert_eq!(again, first, "the same delivery with the same content");
    // The one that lost it says nothing any more.
    assert!(!send::sent(&db, "a", &first.delivery, now).await.unwrap());
    assert_eq!(send::failed(&db, "a", &first.delivery, "late", now, 0, false).await.unwrap(), Failed::Lost);
    send::give_back(&db, "b").await.unwrap();
    assert_eq!(taken(&db, "b", now).await.len(), 1, "what is given back is there at once");
    // What comes meanwhile does not join what was tried: the receiver may have it.
    told(&db, now, &[ana], &new(NoticeKind::DecisionWaits, "two")).await;
    planned(&db, now).await;
    let other = taken(&db, "b", now).await.remove(0);
    assert_eq!(whats(std::slice::from_ref(&other)), [vec!["two"]]);
    assert!(send::sent(&db, "b", &other.delivery, now).await.unwrap());
    assert!(db.run("UPDATE delivery SET state = 'waits' WHERE id = $1", args![&other.delivery]).await.is_err());

    for n in 1..=retry::TRIES {
        let done = send::failed(&db, "b", &first.delivery, "no\nanswer", now, 7, false).await.unwrap();
        if n == retry::TRIES {
            assert_eq!(done, Failed::Dead);
            break;
        }
        let Failed::Again(at) = done else { panic!("{done:?} after {n}") };
        assert!(taken(&db, "b", at - TimeDelta::microseconds(1)).await.is_empty());
        assert_eq!(send::next_due(&db, true).await.unwrap(), Some(at));
        now = at;
        assert_eq!(taken(&db, "b", now).await.len(), 1);
    }
    assert!(taken(&db, "b", now + TimeDelta::days(9)).await.is_empty());
    // It is seen by administrators, and sent again by them.
    let admin = keeper();
    let figures = queue::figures(&db, By { actor: &admin, now }).await.unwrap();
    assert_eq!((figures.waiting, figures.dead), (0, 1));
    let dead = queue::dead(&db, by(&admin, 9)).await.unwrap().unwrap().remove(0);
    assert_eq!((dead.attempts, dead.error.as_str(), dead.notices), (retry::TRIES, "noanswer", 1));
    assert_eq!(queue::dead(&db, by(&member(ana), 9)).await.unwrap(), None);
    assert!(matches!(queue::resend(&db, by(&member(ana), 9), None).await, Err(Error::Denied(_))));
    assert!(matches!(queue::resend(&db, by(&admin, 9), Some("none")).await, Err(Error::Conflict(_))));
    assert_eq!(queue::resend(&db, by(&admin, 9), Some(&first.delivery)).await.unwrap(), 1);
    let last = taken(&db, "c", day(9)).await.remove(0);
    assert_eq!(last.delivery, first.delivery);
    // Whoever left gets nothing more.
    send::give_back(&db, "c").await.unwrap();
    people::leave(&db, by(&admin, 9), ana, None, "Moved on.").await.unwrap();
    let gone = taken(&db, "c", day(9)).await.remove(0);
    assert!(matches!(&gone.to, To::Gone(why) if why.contains("left")), "{:?}", gone.to);
    // What is old and read goes.
    send::sent(&db, "c", &first.delivery, day(9)).await.unwrap();
    assert_eq!(queue::forget(&db, day(30)).await.unwrap(), 0);
    assert_eq!(queue::forget(&db, day(50)).await.unwrap(), 2);
    the_record_holds(&db).await;
}

async fn many_senders_take_each_message_once(db: Db) {
    let ana = person(&db, "Ana").await;
    for n in 0..120 {
        let urgent = New { critical: true, ..new(NoticeKind::AgentStopped, &format!("k{n}")) };
        told(&db, day(1), &[ana], &urgent).await;
    }
    let work = |owner: usize| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                plan::plan(&db, day(1), true).await.unwrap();
                let took = send::take(&db, &format!("s{owner}"), day(1), 7, true).await.unwrap();
                if took.is_empty() && plan::plan(&db, day(1), true).await.unwrap() == 0 {
                    return mine;
                }
                for t in took {
                    assert!(send::sent(&db, &format!("s{owner}"), &t.delivery, day(1)).await.unwrap());
                    mine.push(t.items[0].what.clone());
                }
            }
        })
    };
    let workers: Vec<_> = (0..4).map(work).collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    // One that came late to a plan under way looks again.
    for t in taken(&db, "last", day(1)).await {
        all.push(t.items[0].what.clone());
    }
    let once: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), once.len()), (120, 120));
}

async fn the_organisation_is_told_by_its_channels(db: Db) {
    let ana = person(&db, "Ana").await;
    let admin = keeper();
    let asked = NewOutlet {
        kind: OutletKind::Webhook,
        name: "SIEM".into(),
        url: "https://siem.example.org/in?key=hidden".into(),
        kinds: vec![NoticeKind::AgentStopped, NoticeKind::Report],
        plain: false,
    };
    let bad = NewOutlet { name: " ".into(), url: "http://10.0.0.1".into(), kinds: vec![], ..asked.clone() };
    let wrong = outlets::add(&db, by(&admin, 0), &bad).await.unwrap_err();
    assert_eq!(pointers(wrong), ["/name", "/url", "/kinds"]);
    assert!(matches!(outlets::add(&db, by(&member(ana), 0), &asked).await, Err(Error::Denied(_))));
    let (siem, secret) = outlets::add(&db, by(&admin, 0), &asked).await.unwrap();
    assert!(secret.unwrap().starts_with("msk_"));
    let same = outlets::add(&db, by(&admin, 0), &asked).await.unwrap_err();
    assert_eq!(pointers(same), ["/name"]);
    let chat = NewOutlet { kind: OutletKind::Slack, name: "#agents".into(), kinds: vec![NoticeKind::Report], ..asked };
    assert_eq!(outlets::add(&db, by(&admin, 0), &chat).await.unwrap().1, None);
    // The record has no address of a chat.
    let sql = "SELECT after FROM audit_event WHERE action = 'notices.channel-added' AND after LIKE '%hidden%'";
    assert!(db.one(sql, args![]).await.unwrap().is_none());

    told(&db, day(1), &[ana], &new(NoticeKind::Report, "report")).await;
    // Nobody in particular, twice under one key, and one that is confidential.
    let stop = new(NoticeKind::AgentStopped, "stopped");
    told(&db, day(1), &[], &stop).await;
    told(&db, day(1), &[], &stop).await;
    told(&db, day(1), &[ana], &New { confidential: true, ..new(NoticeKind::Report, "secret") }).await;
    planned(&db, day(1)).await;
    let out = send::take(&db, "s", day(1), 50, false).await.unwrap();
    assert_eq!(whats(&out), [vec!["report"], vec!["report"], vec!["stopped"]]);
    let signed = out.iter().filter(|t| matches!(&t.to, To::Outlet { secret: Some(_), .. })).count();
    assert_eq!(signed, 2);
    // Removed: what is on its way goes nowhere.
    send::give_back(&db, "s").await.unwrap();
    outlets::remove(&db, by(&admin, 2), siem).await.unwrap();
    assert!(matches!(outlets::remove(&db, by(&admin, 2), siem).await, Err(Error::NotFound(_))));
    let out = send::take(&db, "s", day(2), 50, false).await.unwrap();
    let gone: Vec<&Taken> = out.iter().filter(|t| matches!(t.to, To::Gone(_))).collect();
    assert_eq!(gone.len(), 2);
    assert_eq!(send::failed(&db, "s", &gone[0].delivery, "gone", day(2), 0, true).await.unwrap(), Failed::Dead);
    assert_eq!(queue::dead(&db, by(&admin, 9)).await.unwrap().unwrap()[0].outlet.as_deref(), Some("SIEM"));
    assert!(db.run("DELETE FROM outlet WHERE id = $1", args![siem]).await.is_err());
    the_record_holds(&db).await;
}

story!(told_what_concerns, crate::notices::people_are_told_what_concerns_them);
story!(as_they_chose, crate::notices::each_kind_reaches_people_as_they_chose);
story!(one_message_each, crate::notices::a_day_without_a_server_ends_in_one_message_each);
story!(given_up, crate::notices::what_failed_is_tried_again_and_given_up_in_the_end);
story!(each_once, crate::notices::many_senders_take_each_message_once);
story!(channels, crate::notices::the_organisation_is_told_by_its_channels);
