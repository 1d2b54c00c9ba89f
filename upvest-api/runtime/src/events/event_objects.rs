//! The objects in webhook events.

/// Declares the enum of the objects in events. Used by the generated `events` module.
#[doc(hidden)]
#[macro_export]
macro_rules! event_objects {
    ($($name:ident($kind:ty) = $($event:literal)|+ => $retrieved_by:expr,)*) => {
        /// The object of a webhook event, with the type that belongs to the type of the event.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)]
        pub enum EventObject {
            $(
                #[doc = concat!("In events of the types", $(" `", $event, "`"),+, ".")]
                $name($kind),
            )*
            /// The object of an event whose type the description does not contain.
            Unknown($crate::generated_code::serde_json::Value),
        }

        impl EventObject {
            /// Decodes the object of an event of this type from JSON.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the object does not match the schema of its type.
            pub fn read(event_type: &str, object: &[u8]) -> Result<Self, $crate::Error> {
                match event_type {
                    $($($event)|+ => $crate::read_json(object).map(Self::$name),)*
                    _ => $crate::read_json(object).map(Self::Unknown),
                }
            }

            /// The operation that reads the object of such an event by its id, which is the only parameter of its path. `None` if
            /// there is no such operation, or if the description does not contain the type.
            pub fn retrieved_by(event_type: &str) -> Option<&'static $crate::OperationMeta> {
                match event_type {
                    $($($event)|+ => $retrieved_by,)*
                    _ => None,
                }
            }

            /// Whether the object of events of this type is a `T`. `None` if the description does not specify it, or if `T` is not
            /// one of the types of objects in events.
            pub fn carries<T: 'static>(event_type: &str) -> Option<bool> {
                let asked = std::any::TypeId::of::<T>();
                let kinds: &[std::any::TypeId] = &[$(std::any::TypeId::of::<$kind>()),*];
                let carried = match event_type {
                    $($($event)|+ => Some(std::any::TypeId::of::<$kind>()),)*
                    _ => None,
                };
                carried.filter(|_| kinds.contains(&asked)).map(|carried| asked == carried)
            }
        }
    };
}
