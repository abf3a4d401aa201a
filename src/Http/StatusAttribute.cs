namespace Orderwright.Http;

/// <summary>HTTP statuses of a problem code, for the reference.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class StatusAttribute(params int[] statuses) : Attribute
{
    public IReadOnlyList<int> Statuses => statuses;
}
