using System.Globalization;
using System.Xml;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Filter of a list of sagas; null means all.</summary>
/// <param name="State">A name of <see cref="SagaStates.All"/>, or <see cref="RolledBack"/>.</param>
/// <param name="Step">The current step.</param>
/// <param name="Code">Code of the incident, the doubt or the refusal.</param>
/// <param name="WaitingFor">A service, <c>customer</c> or <c>operator</c>.</param>
/// <param name="OlderThan">Minimum age: seconds, or ISO 8601 such as <c>PT15M</c>.</param>
/// <param name="YoungerThan">Maximum age, in the same form.</param>
public sealed record SagaFilter(
    [OneOf(typeof(SagaStates))] string? State = null, string? Step = null, string? Code = null, string? WaitingFor = null,
    string? OlderThan = null,
    string? YoungerThan = null)
{
    /// <summary>Pseudo-state of all sagas that are undone or being undone.</summary>
    public const string RolledBack = "rolled_back";

    public bool IsEmpty => this == new SagaFilter();

    /// <summary>Parses an age: seconds, or ISO 8601. False for an invalid age; a missing age is valid.</summary>
    public static bool TryReadAge(string? value, out TimeSpan? age)
    {
        age = null;
        if (value is not { } text) return true;
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

    /// <summary>Arguments of <c>sagas</c> and <c>open_sagas</c>. The ages must be valid.</summary>
    public SqlArgs Args(Guid? before, int most, DateTimeOffset now, ChannelSet channels) =>
        SqlArgs.With("before", before).And("channels", channels.Filter)
            .And("from", TryReadAge(YoungerThan, out var youngest) && youngest is { } within ? Ids.FirstAt(now - within) : null)
            .And("state", State == RolledBack ? SagaNames.Of(SagaStatus.Compensated) : State)
            .And("or_state", State == RolledBack ? SagaNames.Of(SagaStatus.Compensating) : null)
            .And("step", Step)
            .And("code", Code)
            .And("waiting_for", WaitingFor)
            .And("started_before", TryReadAge(OlderThan, out var age) && age is { } least ? now - least : null)
            .And("most", most);
}
