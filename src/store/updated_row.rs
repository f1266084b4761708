//! The row that an update leaves, without another query.

use sea_orm::{ActiveModelTrait, ActiveValue, EntityTrait, IntoActiveModel, Iterable, ModelTrait, TryIntoModel};

use crate::error::Result;

/// The row `read` with the set columns of `changes`.
pub(super) fn updated_row<M, A>(read: &M, changes: A) -> Result<M>
where
    M: ModelTrait + IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = M::Entity> + TryIntoModel<M>,
{
    let mut row = read.clone().into_active_model();
    for column in <M::Entity as EntityTrait>::Column::iter() {
        if let ActiveValue::Set(value) = changes.get(column) {
            row.set(column, value);
        }
    }
    Ok(row.try_into_model()?)
}
