using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.AllInOne;
using Orderwright.Client;
using Orderwright.CustomerService;
using Orderwright.Hosting;
using Orderwright.OperatorConsole;
using Orderwright.OrderService;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator;
using Orderwright.StockService;

return await ServiceHost.RunAsync(
    args, [new SagaModule(), new OrderModule(), new CustomerModule(), new StockModule()],
    Prepare, new DemoScenarios(new ConsoleSite()));

static AfterReady Prepare(IConfiguration settings, ILoggerFactory logs)
{
    var options = settings.Bind<DevOptions>();
    // The demo has neither key nor token, and a shop with callers of its own is not a demo.
    var demo = options.Demo && settings.Bind<ListenSettings>() is { Keys: "", Issuers: "" };
    return async (url, cancel) =>
    {
        if (options.Open) Browser.Open(url);
        if (!demo) return;
        using var http = ApiClient.NewHttp(TimeSpan.FromSeconds(100));
        var client = new ApiClient(http, ServiceAddresses.Embedded(url));
        Console.WriteLine(await new DemoShop(client).FillAsync(cancel));
        if (options.Trickle) await new Trickle(client, TimeProvider.System).RunAsync(cancel);
    };
}

/// <summary>Settings of the development server, such as <c>--no-demo</c>.</summary>
sealed class DevOptions
{
    /// <summary>Fill an empty shop with demo data, and offer the demo scenarios.</summary>
    public bool Demo { get; set; } = true;

    /// <summary>Place a demo order every few seconds; requires the demo.</summary>
    public bool Trickle { get; set; } = true;

    /// <summary>Open the console in a browser when started from a terminal.</summary>
    public bool Open { get; set; } = true;
}
