namespace Orderwright.CustomerService.Payments;

/// <summary>Time of a decision and the limits that apply to it: what every rule about a gateway needs.</summary>
/// <param name="Now">The batch's time.</param>
/// <param name="Limits">Leases, pauses and attempt caps.</param>
public readonly record struct At(DateTimeOffset Now, GatewayLimits Limits)
{
    /// <summary>End of the lease of an attempt that is taken up now.</summary>
    public DateTimeOffset LeaseEnd => Now + Limits.Lease;
}
