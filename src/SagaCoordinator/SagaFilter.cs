using System.Globalization;
using System.Xml;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>What sagas are narrowed to; null means all.</summary>
/// <param name="State">One of <see cref="SagaStates.All"/>, or <see cref="TurnedBack"/>.</param>
/// <param name="Step">Where they stand.</param>
/// <param name="Code">Of the incident, the doubt or the refusal.</param>
/// <param name="WaitingFor">A service, <c>customer</c> or <c>operator</c>.</param>
/// <param name="OlderThan">Begun longer ago than this: seconds, or ISO 8601 such as <c>PT15M</c>.</param>
/// <param name="YoungerThan">Begun within this: the same.</param>
public sealed record SagaFilter(
    string? State = null, string? Step = null, string? Code = null, string? WaitingFor = null, string? OlderThan = null,
    string? YoungerThan = null)
{
    /// <summary>As a state: all that are undone, or being undone.</summary>
    public const string TurnedBack = "turned_back";

    public bool IsEmpty => this == new SagaFilter();

    /// <summary>False for an age that is none: seconds, or ISO 8601. Null is none that is asked for.</summary>
    public static bool TryReadAge(string? said, out TimeSpan? age)
    {
        age = null;
        if (said is not { } text) return true;
        try
        {
            age = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : XmlConvert.ToTimeSpan(text);
            return age >= TimeSpan.Zero;
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            return false;
        }
    }

    /// <summary>For <c>sagas</c> and <c>open_sagas</c>. Its ages have to be readable.</summary>
    public SqlArgs Args(Guid? before, int most, DateTimeOffset now) =>
        SqlArgs.With("before", before)
            .And("from", TryReadAge(YoungerThan, out var youngest) && youngest is { } within ? Ids.FirstAt(now - within) : null)
            .And("state", State == TurnedBack ? SagaNames.Of(SagaStatus.Compensated) : State)
            .And("or_state", State == TurnedBack ? SagaNames.Of(SagaStatus.Compensating) : null)
            .And("step", Step)
            .And("code", Code)
            .And("waiting_for", WaitingFor)
            .And("started_before", TryReadAge(OlderThan, out var age) && age is { } least ? now - least : null)
            .And("most", most);
}
