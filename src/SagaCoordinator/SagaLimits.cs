using System.ComponentModel.DataAnnotations;

namespace Orderwright.SagaCoordinator;

/// <summary>Limits of the coordinator. Settings: <c>ORDERWRIGHT_{NAME}</c>, such as <c>ORDERWRIGHT_SAVEWITHIN=0s</c>.</summary>
public sealed class SagaLimits
{
    /// <summary>
    /// How long a step that went well may wait to be saved; what is shown of an order under way is at most so old. 0 saves
    /// every step at once. 0 to 1 min; default 1 s (docs/adr/0019).
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan SaveWithin { get; set; } = TimeSpan.FromSeconds(1);
}
