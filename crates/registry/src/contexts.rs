//! Contexts: the list, and the removal of an empty one.
//!
//! Source: schema-registry.md §1.10.

use crate::*;

impl Registry {
    /// `GET /contexts`: sorted, each with its leading dot; the default one always.
    pub async fn contexts(&self, caller: &Caller, prefix: &str, page: Page) -> Result<Vec<ContextName>, Error> {
        let mut contexts = self.inner.store.contexts().await?;
        contexts.retain(|context| {
            context.as_str().starts_with(prefix) && caller.may(Action::Read, &Resource::Context(context))
        });
        Ok(page.of(contexts))
    }

    /// `DELETE /contexts/{ctx}`: also of one that is not there. Refused while it holds any version.
    pub async fn delete_context(&self, caller: &Caller, context: &ContextName) -> Result<(), Error> {
        caller.check(Action::Delete, &Resource::Context(context))?;
        if !context.may_exist() || self.inner.store.delete_context(context).await? {
            Ok(())
        } else {
            Err(Error::ContextNotEmpty(context.clone()))
        }
    }
}
