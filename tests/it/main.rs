//! The one test binary.

#[cfg(feature = "sandbox")]
mod access;
mod adopt;
mod architecture;
#[cfg(feature = "sandbox")]
mod cli;
#[cfg(feature = "sandbox")]
mod company;
mod config;
#[cfg(feature = "sandbox")]
mod cut_short;
#[cfg(feature = "sandbox")]
mod deltas;
mod docs;
#[cfg(feature = "sandbox")]
mod docs_commands;
#[cfg(feature = "sandbox")]
mod drift;
#[cfg(feature = "sandbox")]
mod explain;
mod expression_documented;
#[cfg(feature = "sandbox")]
mod expressions;
#[cfg(feature = "sandbox")]
mod fault_matrix;
#[cfg(feature = "sandbox")]
mod faults;
#[cfg(all(feature = "sandbox", unix))]
mod files;
#[cfg(feature = "sandbox")]
mod guards;
#[cfg(feature = "sandbox")]
mod help;
#[cfg(feature = "sandbox")]
mod init;
#[cfg(all(feature = "sandbox", unix))]
mod interactive;
#[cfg(feature = "sandbox")]
mod invitations;
mod json_schema;
#[cfg(feature = "sandbox")]
mod ledger;
#[cfg(feature = "sandbox")]
mod lifecycle;
#[cfg(feature = "sandbox")]
mod messages;
#[cfg(feature = "sandbox")]
mod missing_scope;
#[cfg(feature = "sandbox")]
mod monitoring;
#[cfg(feature = "sandbox")]
mod night;
#[cfg(feature = "sandbox")]
mod only;
#[cfg(unix)]
mod packaging;
#[cfg(all(feature = "sandbox", unix))]
mod pictures;
#[cfg(feature = "sandbox")]
mod project_roles;
#[cfg(feature = "sandbox")]
mod reads;
#[cfg(feature = "sandbox")]
mod recreate;
mod reference;
#[cfg(feature = "sandbox")]
mod reports;
#[cfg(feature = "sandbox")]
mod request_counts;
#[cfg(feature = "sandbox")]
mod rules;
#[cfg(feature = "sandbox")]
mod sandbox_activepieces;
#[cfg(feature = "sandbox")]
mod sandbox_okta;
mod schemas;
mod seeded;
#[cfg(feature = "sandbox")]
mod snapshots_of_servers;
#[cfg(feature = "sandbox")]
mod state;
#[cfg(feature = "sandbox")]
mod support;
#[cfg(feature = "sandbox")]
mod sync;
#[cfg(feature = "sandbox")]
mod targets;
#[cfg(all(feature = "sandbox", unix))]
mod terminal;
#[cfg(feature = "sandbox")]
mod tls;
#[cfg(feature = "sandbox")]
mod transport;
mod troubleshooting;
#[cfg(feature = "sandbox")]
mod undo;
#[cfg(feature = "sandbox")]
mod variables;
#[cfg(feature = "sandbox")]
mod walks;
#[cfg(feature = "sandbox")]
mod who;
