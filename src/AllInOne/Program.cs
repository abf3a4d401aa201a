using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.AllInOne;
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
    var wanted = settings.Bind<DevOptions>();
    // With keys the demo would need one, and who configures keys has a shop already.
    var demo = wanted.Demo && settings["KEYS"] is not { Length: > 0 };
    return async (url, cancel) =>
    {
        if (wanted.Open) Browser.Open(url);
        if (!demo) return;
        using var http = new HttpClient { BaseAddress = url };
        Console.WriteLine(await new Demo(http).FillAsync(cancel));
        if (wanted.Trickle) await new Trickle(http, TimeProvider.System).RunAsync(cancel);
    };
}

/// <summary><c>--no-demo</c>, <c>--no-trickle</c>, <c>--no-open</c>.</summary>
sealed class DevOptions
{
    /// <summary>Fill an empty shop with demo products, customers and orders. Default true.</summary>
    public bool Demo { get; set; } = true;

    /// <summary>With the demo: an order every few seconds. Default true.</summary>
    public bool Trickle { get; set; } = true;

    /// <summary>Open the browser when a person sits at the terminal. Default true.</summary>
    public bool Open { get; set; } = true;
}
