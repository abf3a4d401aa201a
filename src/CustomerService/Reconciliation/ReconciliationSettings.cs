using System.ComponentModel.DataAnnotations;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>When our record is compared with the gateways' by itself. Settings: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class ReconciliationSettings
{
    /// <summary>How often, for each gateway that has a list. 0: never by itself; else up to 30 d. Default 1 d.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan ReconcileEvery { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How far back, so that what was still on its way the last time is looked at again. 1 min to 90 d; default 3 d.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "90.00:00:00")]
    public TimeSpan ReconcileOver { get; set; } = TimeSpan.FromDays(3);

    /// <summary>How long results are kept. 1 d to 10 years; default 90 d.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan ReconcileKeep { get; set; } = TimeSpan.FromDays(90);
}
