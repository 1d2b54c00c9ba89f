use crate::flags::Update;
pub(crate) fn run(_: &Update) -> anyhow::Result<()> { Ok(()) }
