//! `/frameworks/{id}/{node}/mapping`: what the organisation says of a node.

use std::collections::BTreeMap;

use app::components::{Address, FieldErrors, Flash, Refused};
use app::frameworks::edit::{EditNode, Editing, NodeForm, Part};
use app::frameworks::node::Attested;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use domain::can::{Action, Relation, can};
use domain::coverage::ControlKey;
use domain::framework::{self, Node, Strength};
use domain::party::Party;
use leptos::prelude::*;
use register::agents::assess::party_names;
use register::coverage::mapping::{self, Versioned, Wish};
use register::{Error, coverage};

use super::people::{refuse, version};
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/frameworks/{id}/{node}/mapping", edit).post("/frameworks/{id}/{node}/mapping", save)
}

fn node(id: &str, reference: &str) -> Result<&'static Node, Fault> {
    Ok(framework::within(id, reference).ok_or_else(|| Error::NotFound(reference.to_owned()))?)
}

fn part(here: &Address) -> Part {
    here.get("part").and_then(|p| p.parse().ok()).unwrap_or(Part::Links)
}

/// The attestations of a node that hold, with the names of those who answer for them.
pub(super) async fn attested(
    app: &App,
    signed: &Signed,
    node: &Node,
    kept: &Versioned,
) -> Result<Vec<Attested>, Error> {
    let of: Vec<_> = kept.amendments.of(node).attested.into_iter().filter(|a| a.holds_at(signed.now)).collect();
    let names = party_names(&mut &app.db, of.iter().map(|a| Party::Person(a.owner))).await?;
    Ok(of
        .into_iter()
        .map(|a| Attested {
            owner: names.get(&Party::Person(a.owner)).cloned().unwrap_or_else(|| a.owner.to_string()),
            attestation: a,
        })
        .collect())
}

async fn page(
    app: &App,
    signed: &Signed,
    node: &'static Node,
    part: Part,
    form: Refused<NodeForm>,
    status: StatusCode,
) -> Answer {
    let kept = mapping::mapping(&app.db, signed.by()).await?;
    let attested = attested(app, signed, node, &kept).await?;
    let units = if part == Part::Attest {
        let units = coverage::estate(&app.db, signed.by()).await?.units;
        units.into_iter().map(|u| u.name).filter(|u| !u.is_empty()).take(200).collect()
    } else {
        Vec::new()
    };
    let editing = Editing { node, part, form, units, attested };
    let response: Response = Page::new(app, signed, format!("What is said of {}", node.reference))
        .status(status)
        .show(move || view! { <EditNode editing=editing/> });
    Ok(response)
}

async fn edit(
    State(app): State<App>,
    signed: Signed,
    Path((id, reference)): Path<(String, String)>,
    Here(here): Here,
) -> Answer {
    can(&signed.actor, Action::FrameworkWrite, Relation::None).map_err(Error::from)?;
    let node = node(&id, &reference)?;
    let kept = mapping::mapping(&app.db, signed.by()).await?;
    let only = kept.amendments.only_of(node, signed.now);
    let form = NodeForm {
        version: kept.version.to_string(),
        strengths: (kept.amendments.links_of(node).into_iter()).map(|(c, (s, _))| (c, s.key().to_owned())).collect(),
        condition: only.map(|o| o.condition.key().to_owned()).unwrap_or_default(),
        until: only
            .and_then(|o| o.until.date_naive().pred_opt())
            .map(|d| d.format("%Y-%m-%d").to_string())
            .unwrap_or_default(),
        ..NodeForm::default()
    };
    page(&app, &signed, node, part(&here), Refused::fresh(form), StatusCode::OK).await
}

/// What was typed, as the register takes it.
fn wish(part: Part, form: &NodeForm, errors: &mut FieldErrors) -> Option<Wish> {
    let day = NaiveDate::parse_from_str(form.until.trim(), "%Y-%m-%d").ok();
    match part {
        Part::Links => {
            let mut wanted = BTreeMap::new();
            for (control, typed) in form.strengths.iter().filter(|(_, t)| !t.is_empty()) {
                match typed.parse::<Strength>() {
                    Ok(strength) => {
                        wanted.insert(*control, strength);
                    }
                    Err(error) => errors.add(control.key(), format!("{error}.")),
                }
            }
            errors.is_empty().then_some(Wish::Links(wanted))
        }
        Part::Only if form.condition.is_empty() => Some(Wish::Only(None)),
        Part::Only => {
            let condition = form.condition.parse().ok();
            if condition.is_none() {
                errors.add("condition", "Choose for which agents it counts.");
            }
            condition.map(|c| Wish::Only(Some((c, day))))
        }
        Part::Attest => Some(Wish::Attest {
            business_unit: Some(form.business_unit.trim().to_owned()).filter(|u| !u.is_empty()),
            says: form.says.clone(),
            evidence: form.evidence.clone(),
            until: day,
        }),
        Part::End => Some(Wish::End(Some(form.business_unit.clone()).filter(|u| u != "*"))),
    }
}

async fn save(
    State(app): State<App>,
    signed: Signed,
    Path((id, reference)): Path<(String, String)>,
    Here(here): Here,
    fields: Fields,
) -> Answer {
    can(&signed.actor, Action::FrameworkWrite, Relation::None).map_err(Error::from)?;
    let node = node(&id, &reference)?;
    let part = part(&here);
    let typed = |name: &str| fields.get(name).to_owned();
    let form = NodeForm {
        version: typed("version"),
        strengths: ControlKey::ALL.iter().map(|c| (*c, typed(c.key()))).collect(),
        condition: typed("condition"),
        until: typed("until"),
        business_unit: typed("business_unit"),
        says: typed("says"),
        evidence: typed("evidence"),
        reason: typed("reason"),
    };
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(wish) = wish(part, &form, &mut errors) {
        let expected = Some(version(&form.version));
        match mapping::amend(&app.db, signed.by(), expected, node, &wish, &form.reason).await {
            Ok(number) => {
                let flash = Flash::good(format!("Saved as version {number} of the mapping."));
                return Ok(see_other_saying(&app, node.path(), &flash));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    page(&app, &signed, node, part, Refused { values: form, errors }, status).await
}
