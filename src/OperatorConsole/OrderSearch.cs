using System.Globalization;
using System.Text.Json;
using System.Xml;
using Orderwright.Client;
using Orderwright.Contracts;

namespace Orderwright.OperatorConsole;

/// <summary>Filter of the orders page, which combines the lists of order-service and of the coordinator.</summary>
static class OrderSearch
{
    static readonly string[] Narrowing = ["state", "step", "code", "waitingFor"];

    /// <summary>The filter names a property of the process, so the coordinator's list is the better source.</summary>
    public static bool IsByProcess(Visit visit) =>
        Narrowing.Any(name => visit[name] is not null) || visit["olderThan"] is not null;

    /// <summary>Applies the process part of the filter to an order's saga.</summary>
    public static bool Matches(Visit visit, JsonElement saga) => Narrowing.All(name => visit[name] switch
    {
        null => true,
        SagaFilters.RolledBack when name == "state" =>
            saga.TextOrNull(name) is SagaStates.Compensating or SagaStates.Compensated,
        SagaFilters.Open when name == "state" => saga.ValueKind == JsonValueKind.Object && saga.Time("endedAt") is null,
        var value => saga.TextOrNull(name) == value,
    });

    /// <summary>Ages of the filter as bounds of the creation time, for order-service.</summary>
    public static string CreatedBounds(Visit visit) =>
        Bound(visit, "createdBefore", "olderThan") + Bound(visit, "createdAfter", "youngerThan");

    /// <summary>Reads an age in seconds or ISO 8601, as the coordinator does; null if unreadable.</summary>
    public static TimeSpan? ReadAge(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(seconds);
        try
        {
            return XmlConvert.ToTimeSpan(text);
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            return null;
        }
    }

    static string Bound(Visit visit, string parameter, string name) =>
        visit[name] is { } text && ReadAge(text) is { } age ? $"&{parameter}={Words.Iso(visit.Now - age)}" : "";
}
