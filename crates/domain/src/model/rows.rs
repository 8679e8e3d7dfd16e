//! The rows of each model. What a model changes of the common rows is written beside it;
//! the rest is what the function of a duty's name holds.

use super::Model::{self, CentralPlatform, ProductEmbedded, Regulated, SmallOrganisation, VendorHosted};
use super::Slot::{self, Api, Business, Identity, Incident, Legal, Platform, Security, Team, VendorManager};
use crate::assignment::RaciRole::{self, Accountable as A, Consulted as C, Informed as I, Responsible as R};
use crate::duty::Duty;

type Row = &'static [(RaciRole, Slot)];

pub(super) const fn of(model: Model, duty: Duty) -> Row {
    match duty {
        Duty::Purpose => match model {
            Regulated => &[(A, Business), (R, Team), (C, Legal), (C, Security)],
            _ => &[(A, Business), (R, Team), (C, Security)],
        },
        Duty::Implementation => match model {
            // Built centrally, operated by the line of business.
            CentralPlatform => &[(A, Team), (R, Platform), (R, Team)],
            VendorHosted => &[(A, Team), (R, VendorManager), (C, Security)],
            SmallOrganisation => &[(A, Team), (R, Team)],
            _ => &[(A, Team), (R, Team), (C, Platform), (C, Security)],
        },
        Duty::Containment => match model {
            CentralPlatform => &[(A, Team), (R, Team), (C, Platform), (I, Business)],
            VendorHosted => &[(A, Team), (R, Team), (C, VendorManager), (I, Business)],
            Regulated => &[(A, Team), (R, Team), (C, Security), (I, Business), (I, Legal)],
            _ => &[(A, Team), (R, Team), (I, Business)],
        },
        Duty::Policy => match model {
            CentralPlatform => &[(A, Security), (R, Security), (C, Platform), (I, Team)],
            VendorHosted => &[(A, Security), (R, Security), (C, VendorManager), (I, Team)],
            Regulated => &[(A, Security), (R, Security), (C, Legal), (I, Team)],
            _ => &[(A, Security), (R, Security), (C, Team)],
        },
        Duty::Identity => match model {
            CentralPlatform => &[(A, Platform), (R, Platform), (C, Security), (I, Team)],
            SmallOrganisation => &[(A, Team), (R, Team)],
            _ => &[(A, Identity), (R, Identity), (C, Team)],
        },
        Duty::Requests => match model {
            CentralPlatform => &[(A, Platform), (R, Platform), (C, Team)],
            ProductEmbedded => &[(A, Team), (R, Team), (C, Security)],
            SmallOrganisation => &[(A, Team), (R, Team)],
            VendorHosted | Regulated => &[(A, Api), (R, Api), (C, Team)],
        },
        Duty::Platform => match model {
            // What a vendor runs is held to by whoever holds the vendor.
            VendorHosted => &[(A, VendorManager), (R, VendorManager), (C, Security)],
            SmallOrganisation => &[(A, Team), (R, Team)],
            _ => &[(A, Platform), (R, Platform), (I, Team)],
        },
        Duty::Monitoring => match model {
            CentralPlatform => &[(A, Team), (R, Team), (C, Platform), (I, Security)],
            VendorHosted => &[(A, Team), (R, Team), (C, VendorManager), (I, Security)],
            SmallOrganisation => &[(A, Team), (R, Team)],
            ProductEmbedded | Regulated => &[(A, Team), (R, Team), (I, Security)],
        },
        Duty::Incident => match model {
            CentralPlatform => &[(A, Incident), (R, Team), (R, Platform), (I, Business)],
            VendorHosted => &[(A, Incident), (R, Team), (C, VendorManager), (I, Business)],
            Regulated => &[(A, Incident), (R, Team), (C, Identity), (I, Business), (I, Legal)],
            ProductEmbedded => &[(A, Incident), (R, Team), (C, Identity), (I, Business)],
            SmallOrganisation => &[(A, Team), (R, Team), (C, Security), (I, Business)],
        },
        Duty::Improvement => match model {
            // Two owners: one contains it, the other mends the model or the workflow.
            CentralPlatform => &[(A, Platform), (R, Platform), (C, Team)],
            VendorHosted => &[(A, VendorManager), (R, Team), (I, Business)],
            _ => &[(A, Team), (R, Team), (C, Business)],
        },
        Duty::Review => match model {
            Regulated => &[(A, Team), (R, Team), (C, Business), (C, Legal)],
            _ => &[(A, Team), (R, Team), (C, Business)],
        },
        Duty::Retirement => match model {
            CentralPlatform => &[(A, Team), (R, Platform), (R, Team), (I, Business)],
            VendorHosted => &[(A, Team), (R, VendorManager), (C, Identity), (I, Business)],
            Regulated => &[(A, Team), (R, Team), (C, Identity), (C, Legal), (I, Business)],
            ProductEmbedded => &[(A, Team), (R, Team), (C, Identity), (I, Business)],
            SmallOrganisation => &[(A, Team), (R, Team), (I, Business)],
        },
        Duty::CustomerImpact => &[(A, Business), (R, Team), (C, Security)],
        Duty::Vendor => match model {
            SmallOrganisation => &[(A, Business), (R, Team)],
            VendorHosted => &[(A, VendorManager), (R, VendorManager), (C, Legal), (I, Business)],
            _ => &[(A, VendorManager), (R, VendorManager), (I, Business)],
        },
        Duty::Regulatory => &[(A, Legal), (R, Legal), (I, Business)],
    }
}
