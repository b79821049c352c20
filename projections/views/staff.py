"""Sentences of the audit trail about people and their roles."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.aggregates.staff import StaffMember
from projections.kernel.sentences import Sentence, Sentences, private

_ROLES: Mapping[str, Sentence] = {
    "donor": Sentence("捐赠人", "donor"),
    "clerk": Sentence("经办", "clerk"),
    "approver": Sentence("审批人", "approver"),
    "cashier": Sentence("出纳", "cashier"),
    "bookkeeper": Sentence("会计", "bookkeeper"),
    "treasurer": Sentence("司库", "treasurer"),
    "partner": Sentence("义卖合作方", "partner"),
    "auditor": Sentence("审计", "auditor"),
    "admin": Sentence("管理员", "admin"),
}


def _roles(fact: StaffMember.RolesGranted | StaffMember.RolesWithdrawn) -> Sentence:
    roles = [_ROLES[role] for role in fact.roles]
    return Sentence("、".join(each.zh for each in roles), ", ".join(each.en for each in roles))


SENTENCES = Sentences(
    {
        StaffMember.Added: private(
            "登记一位可进入本系统的人", "A person was added to those who may come in"
        ),
        StaffMember.RolesGranted: private("授予角色：{roles}", "Roles were granted: {roles}"),
        StaffMember.RolesWithdrawn: private("收回角色：{roles}", "Roles were withdrawn: {roles}"),
        StaffMember.Disabled: private(
            "停用一人，其全部角色随之收回", "A person was disabled and has no roles"
        ),
    },
    {"roles": _roles},
)
"""What its events say."""
