"""Names that the checks of dashboards and alerts read out of PromQL."""

import pytest

from tests.support.promql import Named, named


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", Named({"up": set()})),
        ("up == 0", Named({"up": set()})),
        ('up{job="a", instance!~"b{c}.*"} offset 5m > 1e3', Named({"up": {"job", "instance"}})),
        ("sum by (le, code) (rate(a_bucket[5m]))", Named({"a_bucket": set()}, {"le", "code"})),
        ("sum(rate(a_total{x='y'}[5m])) by (z)", Named({"a_total": {"x"}}, {"z"})),
        ("sum without (instance) (a)", Named({"a": set()}, {"instance"})),
        ("a / on (x) group_left (y) b", Named({"a": set(), "b": set()}, {"x", "y"})),
        ("a * ignoring (x) group_left b", Named({"a": set(), "b": set()}, {"x"})),
        ("a unless a offset 15m > 0 or vector(0)", Named({"a": set()})),
        ("histogram_quantile(0.99, a[$__rate_interval])", Named({"a": set()})),
        ("a{x='1'} + a{y='2'} # and b", Named({"a": {"x", "y"}})),
        ("-a ^ 2 % 3", Named({"a": set()})),
    ],
)
def test_metrics_and_labels_are_found(expression: str, expected: Named) -> None:
    assert named(expression) == expected


def test_an_expression_that_is_not_understood_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="not understood: '; b'"):
        named("a ; b")
