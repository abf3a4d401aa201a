using Orderwright.Contracts;

namespace Orderwright.OperatorConsole;

/// <summary>Filters of the coordinator's lists: query parameters, and values of <c>state</c> that cover several states.</summary>
public static class SagaFilters
{
    /// <summary>Every state of an unfinished process.</summary>
    public const string Open = "open";

    /// <summary>The process is being undone, or has been undone.</summary>
    public const string RolledBack = "rolled_back";

    public static readonly IReadOnlyList<string> States = [Open, .. SagaStates.All, RolledBack];

    /// <summary>Parameters that select orders for a bulk action.</summary>
    public static readonly IReadOnlyList<string> Names = ["state", "step", "code", "waitingFor", "olderThan", "youngerThan"];

    /// <summary>Selection in words, such as <c>step commit-stock, code timed_out</c>.</summary>
    public static string Describe(Func<string, string?> valueOf) =>
        string.Join(", ", Names.Where(name => valueOf(name) is not null).Select(name => $"{name} {valueOf(name)}"));
}
