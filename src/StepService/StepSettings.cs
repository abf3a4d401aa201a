using System.ComponentModel.DataAnnotations;

namespace Orderwright.StepService;

/// <summary>Settings of participants that are called over HTTP: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class StepSettings
{
    /// <summary>
    /// Directory with the secrets of the steps: a file per step, named as the step, with a secret (<c>whsec_</c> and base64) on
    /// each line. All of them sign, and any of them may sign a reply, so that a secret can be rotated.
    /// </summary>
    public string StepSecrets { get; set; } = "";

    /// <summary>
    /// Networks that are not public and may be called, in CIDR notation, separated by commas: <c>10.1.0.0/16</c>. A server
    /// without keys also allows the loopback interface.
    /// </summary>
    public string StepNetworks { get; set; } = "";

    /// <summary>Time limit of a call, from the connection to the end of the response.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan StepDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Concurrent calls of a participant.</summary>
    [Range(1, 10_000)]
    public int StepMaxInFlight { get; set; } = 64;

    /// <summary>Calls queued in memory; further calls wait in their sagas.</summary>
    [Range(1, 1_000_000)]
    public int StepMaxWaiting { get; set; } = 10_000;

    /// <summary>
    /// Failures within about ten seconds to open the circuit breaker of a participant, if at least half of all calls failed.
    /// </summary>
    [Range(1, 100_000)]
    public int StepBreakAfter { get; set; } = 20;

    /// <summary>Retry budget, as a percentage of first calls.</summary>
    [Range(0, 1_000)]
    public int StepRetryBudget { get; set; } = 100;
}
