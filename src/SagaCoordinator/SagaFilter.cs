using System.Globalization;
using System.Xml;
using Orderwright.Runtime.Database;

namespace Orderwright.SagaCoordinator;

/// <summary>What sagas are narrowed to; null means all.</summary>
/// <param name="State">One of <see cref="SagaNames.Statuses"/>.</param>
/// <param name="Step">Where they stand.</param>
/// <param name="Code">Of the incident, the doubt or the refusal.</param>
/// <param name="WaitingFor">A service, <c>customer</c> or <c>operator</c>.</param>
/// <param name="OlderThan">Seconds, or ISO 8601 such as <c>PT15M</c>.</param>
public sealed record SagaFilter(
    string? State = null, string? Step = null, string? Code = null, string? WaitingFor = null, string? OlderThan = null)
{
    public bool IsEmpty => this == new SagaFilter();

    /// <summary>False for an age that is none.</summary>
    public bool TryReadAge(out TimeSpan? age)
    {
        age = null;
        if (OlderThan is not { } text) return true;
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

    /// <summary>For <c>sagas</c> and <c>open_sagas</c>. Its age has to be readable.</summary>
    public SqlArgs Args(Guid? before, int most, DateTimeOffset now) =>
        SqlArgs.With("before", before)
            .And("state", State)
            .And("step", Step)
            .And("code", Code)
            .And("waiting_for", WaitingFor)
            .And("started_before", TryReadAge(out var age) && age is { } least ? now - least : null)
            .And("most", most);
}
