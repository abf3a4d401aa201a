namespace Orderwright.OperatorConsole;

/// <summary>Addresses of services in other processes than the console.</summary>
sealed class ServiceUrlSettings
{
    /// <summary>Address of order-service, such as <c>http://order-service:4001</c>. Default: the console's port + 1.</summary>
    public string? OrderUrl { get; set; }

    /// <summary>Address of customer-service. Default: the console's port + 2.</summary>
    public string? CustomerUrl { get; set; }

    /// <summary>Address of stock-service. Default: the console's port + 3.</summary>
    public string? StockUrl { get; set; }
}
