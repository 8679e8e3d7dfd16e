//! The pages: one file for each noun, each with its `routes()`.

mod account;
mod agents;
mod assignments;
mod audit;
mod calendar;
mod delegation;
mod exceptions;
mod handovers;
mod help;
mod home;
mod imports;
mod login;
mod matrix;
mod models;
mod notices;
mod oncall;
mod people;
mod policy;
mod raci;
mod radius;
mod reach;
mod requests;
mod retirements;
mod reviews;
mod rules;
mod settings;
mod setup;
mod stops;
mod systems;
mod teams;
mod theme;
mod yours;

use crate::routes::Routes;

/// Every page. A noun adds its line.
pub fn routes() -> Routes {
    Routes::page()
        .and(login::routes())
        .and(setup::routes())
        .and(account::routes())
        .and(theme::routes())
        .and(audit::routes())
        .and(help::routes())
        .and(home::routes())
        .and(assignments::routes())
        .and(models::routes())
        .and(handovers::routes())
        .and(requests::routes())
        .and(exceptions::routes())
        .and(reviews::routes())
        .and(agents::routes())
        .and(stops::routes())
        .and(radius::routes())
        .and(imports::routes())
        .and(raci::routes())
        .and(matrix::routes())
        .and(people::routes())
        .and(reach::routes())
        .and(teams::routes())
        .and(oncall::routes())
        .and(yours::routes())
        .and(systems::routes())
        .and(retirements::routes())
        .and(rules::routes())
        .and(policy::routes())
        .and(delegation::routes())
        .and(calendar::routes())
        .and(notices::routes())
        .and(settings::routes())
}
