//! Schemas of merge patches: those of what is written, with every member left out or null.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Makes a merge patch of a schema: nothing is required, null puts a member back to what it
/// is when it was never said, and `reason` goes into the record.
pub(super) fn of(whole: RefOr<Schema>, name: &str, left_out: &[&str]) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = whole else { return whole };
    let needed = std::mem::take(&mut object.required);
    object.example = None;
    object.examples.clear();
    object.description = Some(format!(
        "A merge patch (RFC 7396) of {name}: members left out stay as they are, null puts one back to what it is when \
         it was never said, a list replaces the list."
    ));
    for name in left_out {
        object.properties.remove(*name);
    }
    for (name, property) in &mut object.properties {
        if !needed.contains(name) {
            let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
            let own = std::mem::replace(property, RefOr::T(Schema::default()));
            *property = OneOfBuilder::new().item(null).item(own).into();
        }
    }
    let reason = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .max_length(Some(1000))
        .description(Some("Why, for the record; not a member of the object."));
    object.properties.insert("reason".into(), reason.into());
    RefOr::T(Schema::Object(object))
}

macro_rules! patch_of {
    ($($(#[doc = $text:literal])+ $name:ident of $whole:ty, $told:literal, without $left_out:expr;)+) => { $(
        $(#[doc = $text])+
        #[derive(Debug)]
        pub(in crate::api) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                of(<$whole>::schema(), $told, &$left_out)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                <$whole>::schemas(schemas);
            }
        }
    )+ };
}

patch_of! {
    /// A change of an agent.
    AgentPatch of super::agents::AgentNew, "an agent", without ["state"];
    /// A change of a person.
    PersonPatch of super::people::PersonNew, "a person", without [];
    /// A change of a team.
    TeamPatch of super::teams::TeamNew, "a team", without [];
    /// A change of a system.
    SystemPatch of super::systems::SystemNew, "a system", without [];
}
