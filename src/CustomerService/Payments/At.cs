namespace Orderwright.CustomerService.Payments;

/// <summary>Time of a decision, with the limits in force: needed by every rule about a gateway.</summary>
/// <param name="Now">The batch's time.</param>
/// <param name="Limits">Leases, pauses and attempt caps.</param>
public readonly record struct At(DateTimeOffset Now, GatewayLimits Limits)
{
    /// <summary>End of the lease of an attempt taken up now.</summary>
    public DateTimeOffset LeaseEnd => Now + Limits.Lease;
}
