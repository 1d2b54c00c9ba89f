//! The state of users, accounts, orders and all other resources, without any I/O. It is changed by calls and by time.

/// Implements `Debug` for types with personal data. It prints only the id.
macro_rules! debug_by_id {
    ($($name:ident)+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id).finish_non_exhaustive()
            }
        })+
    };
}

/// Implements access to the id of a resource.
macro_rules! identified {
    (by view.id: $($name:ident)+) => {
        $(impl crate::domain::table::Identified for $name {
            fn id(&self) -> uuid::Uuid {
                self.view.id
            }
        })+
    };
    (by id: $($name:ident)+) => {
        $(impl crate::domain::table::Identified for $name {
            fn id(&self) -> uuid::Uuid {
                self.id
            }
        })+
    };
}

/// Declares values that are in capitals in JSON.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($value:ident)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        $vis enum $name {
            $($value),+
        }
    };
}

#[macro_use]
pub(crate) mod lifecycle;

pub(crate) mod customers;
pub(crate) mod events;
mod jobs;
pub(crate) mod money;
pub(crate) mod rows;
pub(crate) mod rules;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod trading;
