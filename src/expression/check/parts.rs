//! Properties of parts that several checks use.

use serde_json::Value as Json;

use crate::expression::ast::{Kind, Node, Root};
use crate::expression::context::Context;
use crate::expression::eval::evaluate;
use crate::expression::functions::Reads;
use crate::expression::is_outside_the_profile;
use crate::expression::trace::Run;
use crate::expression::value::Value;
use crate::model::okta::{Status, User};

/// The value of a part that is the same for all users; none if it varies or fails.
pub fn constant(node: &Node) -> Option<Value<'static>> {
    let mut reads_a_name = false;
    node.visit(&mut |node| reads_a_name |= matches!(node.kind, Kind::Root(_)));
    if reads_a_name || !rests_on_names_alone(node) {
        return None;
    }
    scalar(node, serde_json::Map::new())
}

/// Whether the value follows from the attributes in the part alone: no groups, other people or clock.
pub fn rests_on_names_alone(node: &Node) -> bool {
    let mut alone = true;
    node.visit(&mut |node| {
        alone &= match &node.kind {
            Kind::Call { function, .. } | Kind::Method { method: function, .. } => function.reads == Reads::Nothing,
            _ => true,
        };
    });
    alone
}

/// The value of a part for a profile, if it is a scalar.
pub fn scalar(node: &Node, profile: serde_json::Map<String, Json>) -> Option<Value<'static>> {
    let user = User::new("00u".into(), Status::Active, profile);
    let context = Context::new(&user, &[]);
    let value = evaluate(node, &Run::new(&context)).ok()?;
    match value {
        Value::Null => Some(Value::Null),
        Value::Bool(value) => Some(Value::Bool(value)),
        Value::Int(value) => Some(Value::Int(value)),
        Value::Double(value) => Some(Value::Double(value)),
        Value::String(text) => Some(Value::text(text.into_owned())),
        _ => None,
    }
}

/// The attribute of the user's profile that a node reads: `user.x`, `user.profile.x`, `user['x']`.
pub fn attribute(node: &Node) -> Option<&str> {
    let (object, name) = node.property()?;
    let is_user = |node: &Node| matches!(node.kind, Kind::Root(Root::User));
    let of_profile =
        matches!(&object.kind, Kind::Property { object, name, .. } if name == "profile" && is_user(object));
    (of_profile || (is_user(object) && !is_outside_the_profile(name))).then_some(name)
}
