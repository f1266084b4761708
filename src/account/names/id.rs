//! Public ids: a type prefix and a UUID in base32 (TypeID 0.3), such as `usr_01h455vb4pex5vsknk084sn02q`.

use type_safe_id::{StaticType, TypeSafeId};

macro_rules! kinds {
    ($($kind:ident, $alias:ident, $prefix:literal, $what:literal;)*) => {$(
        #[doc = concat!("Marks ids of ", $what, ".")]
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $kind;

        impl StaticType for $kind {
            const TYPE: &'static str = $prefix;
        }

        #[doc = concat!("The public id of ", $what, ".")]
        pub type $alias = TypeSafeId<$kind>;
    )*};
}

kinds! {
    User, UserId, "usr", "a user";
    Session, SessionId, "ses", "a session";
    Role, RoleId, "rol", "a role";
    ApiToken, ApiTokenId, "tok", "an API token";
    Tenant, TenantId, "ten", "a tenant";
    Message, MessageId, "msg", "a webhook message";
}
