using System.ComponentModel.DataAnnotations;

namespace Orderwright.CustomerService.Reconciliation;

/// <summary>Settings of scheduled reconciliations: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class ReconciliationSettings
{
    /// <summary>
    /// Interval of reconciliations with each gateway that offers a list, up to 30 d; 0 disables the schedule. Default 1 d.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan ReconcileEvery { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Time range to compare, long enough to include payments that were still in progress last time. 1 min to 90 d; default 3 d.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "90.00:00:00")]
    public TimeSpan ReconcileOver { get; set; } = TimeSpan.FromDays(3);

    /// <summary>Retention of results. 1 d to 10 years; default 90 d.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan ReconcileKeep { get; set; } = TimeSpan.FromDays(90);
}
